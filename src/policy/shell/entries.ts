/** The words of an entry of a policy: plain, white space between. */
export const words = (entry: string): readonly string[] => entry.split(/\s+/).filter((word) => word !== '');
