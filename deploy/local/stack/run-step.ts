/** Shows that a part of a start is being done; `note` adds a word on how far it is. */
export type RunStep = <T>(label: string, work: (note: (text: string) => void) => Promise<T>) => Promise<T>;
