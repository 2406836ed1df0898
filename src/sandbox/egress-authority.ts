import { createPrivateKey, webcrypto } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { randomBytes } from '../core/index.ts';
import type { EgressTarget } from './egress-target.ts';

/** An authority of one session. INVARIANT: its key is in memory only, and dies with the session. */
export interface EgressAuthority {
  /** Its certificate (PEM). */
  readonly certificate: string;
  /** A certificate for one host, with its key; kept for the next connection to it. */
  secureContextFor(target: EgressTarget): Promise<SecureContext>;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Clocks inside and outside are one, but a certificate that starts this second is refused by some. */
const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - 3_600_000),
  notAfter: new Date(Date.now() + 7 * DAY_MS),
});

/** Positive, 127 random bits (RFC 5280 4.1.2.2). */
const serialNumber = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
};

type Library = typeof import('@peculiar/x509');

/** Loaded only where TLS is terminated. The library wants decorators' metadata to be there before it. */
async function loadLibrary(): Promise<Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** Makes an authority: P-256, for server certificates right below it and nothing else (RFC 5280 4.2.1.9, 4.2.1.12). */
export async function makeAuthority(maxCertificates: number): Promise<EgressAuthority> {
  const x509 = await loadLibrary();
  const keys = await newKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ serialNumber: serialNumber(), ...validity(), signingAlgorithm: ALGORITHM, keys },
    // The serial number keeps two sessions' authorities apart where a program sees both.
    name: `CN=Sallyport session ${randomBytes(8).toString('hex')}`,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const certificate = own.toString('pem');
  const contexts = new Map<string, Promise<SecureContext>>();
  const make = async (target: EgressTarget): Promise<SecureContext> => {
    const leafKeys = await newKeys();
    const leaf = await makeLeaf(x509, { target, leafKeys, issuer: own, signingKey: keys.privateKey });
    return createSecureContext({ cert: `${leaf}\n${certificate}`, key: await pemOf(leafKeys.privateKey) });
  };
  return {
    certificate,
    secureContextFor(target) {
      const known = contexts.get(target.host) ?? make(target);
      contexts.delete(target.host);
      contexts.set(target.host, known);
      const [oldest] = contexts.keys();
      if (contexts.size > maxCertificates && oldest !== undefined) contexts.delete(oldest);
      return known;
    },
  };
}

async function makeLeaf(
  x509: Library,
  parts: {
    readonly target: EgressTarget;
    readonly leafKeys: webcrypto.CryptoKeyPair;
    readonly issuer: InstanceType<Library['X509Certificate']>;
    readonly signingKey: webcrypto.CryptoKey;
  },
): Promise<string> {
  const { target, leafKeys, issuer, signingKey } = parts;
  const type = target.hostKind === 'address' ? 'ip' : 'dns';
  const leaf = await x509.X509CertificateGenerator.create({
    ...{ serialNumber: serialNumber(), ...validity(), signingAlgorithm: ALGORITHM, signingKey },
    // A common name has at most 64 characters; the name that counts is the alternative one (RFC 9525).
    ...{ subject: 'CN=Sallyport', issuer: issuer.subject, publicKey: leafKeys.publicKey },
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type, value: target.host }]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return leaf.toString('pem');
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
