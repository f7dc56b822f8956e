import { setTimeout } from 'node:timers/promises'
import type { EngineClient } from '#engine/client'
import type { Shell } from '../../terminal/shell.ts'

/** Tries until a process that was just started takes a size. */
const ATTEMPTS = 10
const PAUSE = 10

/** Rows and columns of this terminal; `undefined` where there is none. */
export function windowOf({ stdout }: Pick<Shell, 'stdout'>): readonly [number, number] | undefined {
  const { isTTY, rows, columns } = stdout
  return isTTY === true && rows && columns ? [rows, columns] : undefined
}

/**
 * Gives the terminal of a process the size that this one has, now and whenever it changes. A failure is none of the
 * process.
 * @param path `/containers/ID` or `/exec/ID`
 */
export function followWindow(client: EngineClient, path: string, shell: Shell): Disposable {
  const resize = async (): Promise<boolean> => {
    const size = windowOf(shell)
    if (size === undefined) return true
    const [h, w] = size
    const query = { h, w }
    return await client.json({ method: 'POST', path: `${path}/resize`, query }).then(
      () => true,
      () => false,
    )
  }
  const onResize = (): void => void resize()
  const first = async (): Promise<void> => {
    for (let attempt = 1; attempt <= ATTEMPTS && !(await resize()); attempt++) {
      await setTimeout(PAUSE * attempt)
    }
  }
  void first()
  shell.stdout.on('resize', onResize)
  return { [Symbol.dispose]: () => void shell.stdout.off('resize', onResize) }
}
