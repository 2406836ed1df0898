import { equalBytes, hmacSha256Hex, randomBytes } from '../core/index.ts';

/** The version of the protocol; part of what is proven, so that nobody can talk two sides into different ones. */
export const PROTOCOL = 1;

const NONCE = /^[A-Za-z0-9_-]{43}$/;
const PROOF = /^[0-9a-f]{64}$/;

/** What both sides prove over. */
export interface Transcript {
  readonly peer: string;
  readonly peerNonce: string;
  readonly keeperNonce: string;
}

/** 256 fresh bits, as 43 characters of base64url. */
export const newNonce = (): string => randomBytes(32).toString('base64url');

export const isNonce = (value: unknown): value is string => typeof value === 'string' && NONCE.test(value);

/**
 * What one side sends to prove that it holds the token: HMAC-SHA-256 over version, side, peer and both nonces. The side is in
 * it, so that a proof cannot be sent back to who made it; both nonces are, so that it is good for one connection.
 */
export const proofOf = (side: 'keeper' | 'peer', token: string, transcript: Transcript): string =>
  hmacSha256Hex(
    Buffer.from(token),
    Buffer.from(
      // No part contains a line break: names and nonces are checked before.
      ['sallyport-keeper', PROTOCOL, side, transcript.peer, transcript.peerNonce, transcript.keeperNonce].join('\n'),
    ),
  );

/** True for the proof of that side; in constant time. ATTACKER-CONTROLLED: `proof`. */
export function isProof(side: 'keeper' | 'peer', token: string, transcript: Transcript, proof: unknown): boolean {
  if (typeof proof !== 'string' || !PROOF.test(proof)) return false;
  return equalBytes(Buffer.from(proof), Buffer.from(proofOf(side, token, transcript)));
}
