// Verifies a Sallyport log with code that Sallyport did not write: golang.org/x/mod/sumdb/note checks the signature of the
// checkpoint, golang.org/x/mod/sumdb/tlog the tiles, every entry and inclusion proofs.
//
//	go-verify VKEY-FILE LOG-FOLDER
//
// Prints "OK ..." and exits 0, or "FAIL ..." with the first entry that is wrong and exits 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func fail(format string, values ...interface{}) {
	fmt.Printf("FAIL "+format+"\n", values...)
	os.Exit(1)
}

// folder reads tiles where c2sp.org/tlog-tiles puts them: without the height that Go's module proxies have in the path.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := os.ReadFile(f.path(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) path(tile tlog.Tile) string {
	name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(string(f), strings.Replace(name, "tile/data/", "tile/entries/", 1))
}

// entries reads the bundle that holds `width` entries.
func (f folder) entries(index int64, width int) [][]byte {
	data, err := os.ReadFile(f.path(tlog.Tile{H: height, L: -1, N: index, W: width}))
	if err != nil {
		fail("entry %d: %v", index<<height, err)
	}
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			fail("entry %d: the bundle is cut", index<<height+int64(len(all)))
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all = append(all, data[2:end])
		data = data[end:]
	}
	if len(all) != width {
		fail("entry %d: the bundle holds %d entries, not %d", index<<height, len(all), width)
	}
	return all
}

// openCheckpoint verifies the note and reads its three lines: origin, size, root.
func openCheckpoint(vkey, name string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("key: %v", err)
	}
	message, err := os.ReadFile(name)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	opened, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		fail("checkpoint: not three lines of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		fail("checkpoint: root %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

func main() {
	if len(os.Args) != 3 {
		fmt.Println("usage: go-verify VKEY-FILE LOG-FOLDER")
		os.Exit(2)
	}
	vkey, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail("key: %v", err)
	}
	log := folder(os.Args[2])
	tree := openCheckpoint(strings.TrimSpace(string(vkey)), filepath.Join(string(log), "checkpoint"))
	tiles := tlog.TileHashReader(tree, log)
	var stored []tlog.Hash
	memory := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})

	for first := int64(0); first < tree.N; first += 1 << height {
		width := 1 << height
		if left := tree.N - first; left < int64(width) {
			width = int(left)
		}
		indexes := make([]int64, width)
		for at := range indexes {
			indexes[at] = tlog.StoredHashIndex(0, first+int64(at))
		}
		bundle := log.entries(first>>height, width)
		leaves, err := tiles.ReadHashes(indexes)
		for at, entry := range bundle {
			seq := first + int64(at)
			if err != nil {
				fail("entry %d: %v", seq, err)
			}
			if tlog.RecordHash(entry) != leaves[at] {
				fail("entry %d does not match its leaf hash", seq)
			}
			made, err := tlog.StoredHashes(seq, entry, memory)
			if err != nil {
				fail("entry %d: %v", seq, err)
			}
			stored = append(stored, made...)
		}
	}

	root, err := tlog.TreeHash(tree.N, memory)
	if err != nil || root != tree.Hash {
		fail("the %d entries do not have the root of the checkpoint", tree.N)
	}
	proofs := 0
	for seq := int64(0); seq < tree.N; seq += 1 + tree.N/97 {
		proof, err := tlog.ProveRecord(tree.N, seq, tiles)
		if err != nil {
			fail("entry %d: %v", seq, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, seq, stored[tlog.StoredHashIndex(0, seq)]); err != nil {
			fail("entry %d is not included: %v", seq, err)
		}
		proofs++
	}
	fmt.Printf("OK %d entries, %d inclusion proofs, root %s\n", tree.N, proofs, tree.Hash)
}
