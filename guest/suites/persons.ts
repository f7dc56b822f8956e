import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { run, type User } from '../../test/support/peers/index.ts'
import { USER } from '../machine/names.ts'

/** Who starts a builder, and in which control group. */
export type Person = Pick<User, 'home' | 'name' | 'prefix'> & AsyncDisposable

const nothing = async (): Promise<void> => undefined

/** Root, in the group of a service of systemd. */
export function root(): Person {
  return { name: 'root', home: '/root', prefix: [], [Symbol.asyncDispose]: nothing }
}

/** The ordinary user in a group of root's, in which nothing is the user's to make. */
export function userOutside(): Person {
  const ids = [`--reuid=${USER}`, `--regid=${USER}`, '--init-groups', '--']
  const home = `/home/${USER}`
  return { name: USER, home, prefix: ['setpriv', ...ids], [Symbol.asyncDispose]: nothing }
}

/** The same in a scope of the user's own systemd, as a terminal has it, with the given properties of it. */
export async function userInScope(...properties: readonly string[]): Promise<Person> {
  const { name, home, prefix, ...rest } = userOutside()
  const { stdout } = await run('id', ['-u', name])
  const runtime = `/run/user/${stdout.trim()}`
  await until(() => existsSync(`${runtime}/bus`))
  const settings = properties.flatMap((property) => ['-p', property])
  const scope = ['systemd-run', '--user', '--scope', '--quiet', '--collect', ...settings, '--']
  const bus = [`XDG_RUNTIME_DIR=${runtime}`, `DBUS_SESSION_BUS_ADDRESS=unix:path=${runtime}/bus`]
  return { name, home, prefix: [...prefix, 'env', ...bus, ...scope], ...rest }
}

/** Milliseconds for a condition that is about to hold. */
const PATIENCE = 60_000

/** Waits for it. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not: ${condition}`)
    await delay(50)
  }
}
