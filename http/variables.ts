/** Variables of a process by their names. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The first of two spellings that is set and not empty. */
export function variableOf(environment: Environment, name: string): string | undefined {
  return environment[name] || environment[name.toLowerCase()] || undefined
}

/** Whether a variable names a proxy: nothing more of proxies is loaded where none does. */
export function hasProxy(environment: Environment): boolean {
  return ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].some(
    (name) => variableOf(environment, name) !== undefined,
  )
}
