/** Names of system calls, each at its number; where there is none, a hole. */
export type CallNames = readonly (string | undefined)[]

/** Reads rows of a number and names, which count on from it. */
export function readCalls(...texts: readonly string[]): CallNames {
  const calls: string[] = []
  for (const row of texts.flatMap((text) => text.trim().split('\n'))) {
    const [first, ...names] = row.trim().split(' ')
    let number = Number(first)
    for (const name of names) calls[number++] = name
  }
  return calls
}

/** What is left without calls of these names. */
export function withoutCalls(calls: CallNames, names: CallNames): CallNames {
  const absent = new Set(names)
  return calls.map((name) => (absent.has(name) ? undefined : name))
}

/** The same calls, some of them with other numbers. */
export function renumberCalls(calls: CallNames, renumbered: CallNames): CallNames {
  const result = [...withoutCalls(calls, renumbered)]
  renumbered.forEach((name, number) => {
    result[number] = name
  })
  return result
}
