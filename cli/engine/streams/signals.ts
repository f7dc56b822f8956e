/** Signals that are meant for the process of a container, and may be caught here. */
const PROXIED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGWINCH',
] as const satisfies readonly NodeJS.Signals[]

/** So many of these end this command by force. */
const ENOUGH = 3
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM'])

/**
 * Until it is disposed of, signals do nothing here but what `pass` does with them; the third SIGINT or SIGTERM ends
 * this process.
 * @param pass gets names without `SIG`
 */
export function takeSignals(pass: (name: string) => void): Disposable {
  let endings = 0
  const taken = PROXIED.map((name) => {
    const before = process.rawListeners(name)
    process.removeAllListeners(name)
    const onSignal = (): void => {
      if (ENDING.has(name)) endings += 1
      if (endings === ENOUGH) process.exit(1)
      pass(name.slice('SIG'.length))
    }
    // The terminal's size has listeners of Node itself.
    for (const listener of name === 'SIGWINCH' ? before : []) restore(name, listener)
    process.on(name, onSignal)
    return { name, before, onSignal }
  })
  return {
    [Symbol.dispose]: () => {
      for (const { name, before, onSignal } of taken) {
        process.off(name, onSignal)
        if (name === 'SIGWINCH') continue
        for (const listener of before) restore(name, listener)
      }
    },
  }
}

function restore(name: NodeJS.Signals, listener: unknown): void {
  process.on(name, listener as NodeJS.SignalsListener)
}
