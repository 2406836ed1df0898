/** Makes something for everybody who asks; what failed is tried again by whoever asks next: a disk may have room again. */
export function madeOnce<T>(make: () => Promise<T>): { get(): Promise<T>; readonly made: () => Promise<T> | null } {
  let made: Promise<T> | null = null;
  const get = (): Promise<T> => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  return { get, made: () => made };
}
