/** Stands in every file that must not be read. */
export const SECRET = 'sallyport-matrix-secret';

/** Whom programs run as when we are root. */
export const runAs: { readonly uid: number; readonly gid: number } | null =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null;
