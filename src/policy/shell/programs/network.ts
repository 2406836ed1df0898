import type { ProgramTable } from '../program.ts';

const SSH_OPTIONS = [
  'batchmode',
  'connecttimeout',
  'connectionattempts',
  'serveraliveinterval',
  'serveralivecountmax',
  'loglevel',
  'port',
  'user',
  'compression',
  'addressfamily',
  'tcpkeepalive',
  'identitiesonly',
  'requesttty',
  'numberofpasswordprompts',
  'passwordauthentication',
  'pubkeyauthentication',
  'controlmaster=no',
  'visualhostkey',
];

/** OpenSSH 9, curl 8, wget 1.2x, from their manuals. Which hosts may be reached is the sandbox's and api_call's to say. */
export const NETWORK_FAMILY: Readonly<Record<string, ProgramTable>> = {
  ssh: {
    strict: true,
    options: {
      ok: '-4 -6 -C -f -K -k -N -n -q -s -T -t -tt -V -v -vv -vvv -x -y -a -b= -B= -c= -l= -m= -p= -P= -Q=',
      read: '-i= -I=',
      listed: '-o=',
      loads: '-F=',
      write: '-E= -S=',
      runs: '-O=',
      network: '-A -D= -G -g -J= -L= -M -R= -W= -w= -X -Y -e=',
    },
    only: { '-o': SSH_OPTIONS },
    operands: ['ok'],
  },
  scp: {
    options: {
      ok: '-3 -4 -6 -B -C -p -q -r -T -v -c= -l= -P= -O -R',
      read: '-i=',
      listed: '-o=',
      runs: '-S= -D=',
      loads: '-F= -X=',
      network: '-A -J=',
    },
    only: { '-o': SSH_OPTIONS },
    operands: ['remote-path'],
  },
  sftp: { itself: 'ask' },
  curl: {
    options: {
      ok: `-s --silent -S --show-error -f --fail --fail-with-body --fail-early -L --location -i --include --show-headers -I --head -v --verbose -k --insecure -g --globoff -G --get -N --no-buffer -X= --request= -H=? -A= --user-agent= -e= --referer= -m= --max-time= --connect-timeout= --retry= --retry-delay= --retry-max-time=
        --retry-connrefused --retry-all-errors -w= --write-out= -r= --range= --compressed -0 --http1.0 --http1.1 --http2 --http3 -4 --ipv4 -6 --ipv6 -q --disable -# --progress-bar --no-progress-meter -j --junk-session-cookies --max-redirs= --limit-rate= -y= -Y= --create-dirs --remove-on-error -R --remote-time -z= --time-cond=
        --tlsv1.2 --tlsv1.3 --url-query= --styled-output --raw --no-keepalive --keepalive-time= --path-as-is --post301 --post302 --post303 --max-filesize= --request-target= -h=? --help=? -V --version -M --manual --ciphers= -u= --user= --oauth2-bearer= --basic --digest --anyauth -n --parallel -Z --no-clobber --skip-existing`,
      'at-file':
        '-d= --data= --data-ascii= --data-binary= --json= -H= --header= --proxy-header= -b= --cookie= --expand-data=',
      form: '-F= --form= --data-urlencode=',
      read: '-T= --upload-file= -E= --cert= --key= --cacert= --capath= --netrc-file= --etag-compare= --variable=',
      write:
        '-o= --output= --output-dir= -D= --dump-header= -c= --cookie-jar= --trace= --trace-ascii= --stderr= --etag-save= --hsts= --alt-svc= --libcurl=',
      loads: '-K= --config= --engine= --crlfile= --proxy-cacert= --next -:',
      network:
        '-x= --proxy= --preproxy= --socks4= --socks5= --socks5-hostname= --resolve= --connect-to= --interface= --unix-socket= --abstract-unix-socket= --doh-url= --dns-servers= --dns-interface= -P= --ftp-port= -Q= --quote= --telnet-option= -t= --proto= --proto-redir= --proto-default= --location-trusted --haproxy-protocol --mail-from= --mail-rcpt=',
      url: '--url=',
      ask: '-O --remote-name --remote-name-all -J --remote-header-name',
    },
    operands: ['url'],
  },
  wget: {
    options: {
      ok: `-q --quiet -v --verbose -nv --no-verbose -nc --no-clobber -c --continue -N --timestamping -S --server-response --spider -T= --timeout= --tries= -t= -w= --wait= --waitretry= --random-wait -4 -6 --header= -U= --user-agent= --referer= --max-redirect= --method= --body-data= --post-data= --show-progress --no-check-certificate
        --progress= -r --recursive -l= --level= -k --convert-links -p --page-requisites -np --no-parent -A= --accept= -R= --reject= -D= --domains= --no-cache --content-on-error --save-headers -E --limit-rate= -Q= --quota= --version -V --help -h --no-dns-cache --retry-connrefused`,
      write:
        '-O= --output-document= -P= --directory-prefix= -o= --output-file= -a= --append-output= --save-cookies= --warc-file= --hsts-file= --rejected-log=',
      read: '-i= --input-file= --load-cookies= --post-file= --body-file= --ca-certificate= --certificate= --private-key=',
      runs: '--use-askpass=',
      loads: '-e= --execute= --config= --ca-directory=',
      network: '--bind-address= --proxy-user= --proxy-password= --no-proxy',
    },
    operands: ['url'],
  },
  'nc ncat netcat telnet socat ftp': { itself: 'network' },
  ping: { options: { ok: '-c= -i= -w= -W= -q -4 -6 -n -s=' }, operands: ['ok'] },
  'dig host nslookup': { options: { ok: '-t= -4 -6 -x= -p= -v -a' }, operands: ['ok'], itself: 'ask' },
};
