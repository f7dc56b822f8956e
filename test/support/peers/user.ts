import { capture, run } from './process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** An ordinary user of this machine, with subordinate ids and a home, until the scope ends. */
export interface User extends AsyncDisposable {
  readonly name: string
  readonly home: string
  /** Words to put in front of a command so that this user runs it. */
  readonly prefix: readonly string[]
}

/** Creates a user. Needs root. */
export async function createUser(): Promise<User> {
  const directory = temporaryDirectory('home', 0o755)
  const home = directory.file('user')
  const name = `tsbuild-${process.pid}`
  await run('useradd', ['--create-home', '--home-dir', home, '--shell', '/bin/sh', name])
  return {
    name,
    home,
    prefix: ['setpriv', `--reuid=${name}`, `--regid=${name}`, '--init-groups', '--'],
    [Symbol.asyncDispose]: async () => {
      // userdel prints a remark when there is no mail to delete; the status tells what matters.
      const outcome = await capture('userdel', ['--remove', name])
      directory[Symbol.dispose]()
      if (outcome.status !== 0) throw new Error(`userdel ${name}: ${outcome.stderr}`)
    },
  }
}

/**
 * Words before a command that run it where everybody may make tunnels, as on most machines: /dev/net/tun has mode 666
 * in a mount namespace that ends with the command. They take root.
 */
export const WITH_TUNNELS: readonly string[] = [
  ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-ec'],
  'mkdir -p /dev/net; mount -t tmpfs -o mode=755 tunnels /dev/net; mknod -m 666 /dev/net/tun c 10 200; exec "$@"',
  'sh',
]
