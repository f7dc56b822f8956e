/** Names of system calls, each at its number; where there is none, a hole. */
export type CallTable = readonly (string | undefined)[]

/** Reads rows of a number and names, which count on from it. */
export function readCalls(...texts: readonly string[]): CallTable {
  const table: string[] = []
  for (const row of texts.flatMap((text) => text.trim().split('\n'))) {
    const [first, ...names] = row.trim().split(' ')
    let number = Number(first)
    for (const name of names) table[number++] = name
  }
  return table
}

/** The table without calls of these names. */
export function withoutCalls(table: CallTable, names: CallTable): CallTable {
  const absent = new Set(names)
  return table.map((name) => (absent.has(name) ? undefined : name))
}

/** The table with other numbers for some of its calls. */
export function renumberCalls(table: CallTable, renumbered: CallTable): CallTable {
  const calls = [...withoutCalls(table, renumbered)]
  renumbered.forEach((name, number) => {
    calls[number] = name
  })
  return calls
}
