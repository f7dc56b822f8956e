/** Numbers of system calls by name, as programs of one kind make them. */
export type CallTable = ReadonlyMap<string, number>

/** Reads rows of a number and names, which count on from it. A later row wins over an earlier one. */
export function readCalls(...texts: readonly string[]): CallTable {
  const table = new Map<string, number>()
  for (const row of texts.join('').trim().split(/\n+/)) {
    const [first, ...names] = row.trim().split(' ')
    for (const [index, name] of names.entries()) table.set(name, Number(first) + index)
  }
  return table
}
