import { capture, removeControlGroups, temporaryDirectory } from '../../../support/peers/index.ts'
import type { Engine } from './engine.ts'

/** Debian's podman, as root, with storage of its own and no network but the loopback. */
export async function startPodman(): Promise<Engine> {
  const directory = temporaryDirectory('podman')
  const cgroup = `tsbuild-${directory.path.slice(-6)}`
  const settings = [
    ...['--root', directory.file('root'), '--runroot', directory.file('run')],
    ...['--storage-driver=overlay', '--events-backend=file'],
    // Debian's crun refuses a machine with control groups of both versions; systemd may be absent.
    ...['--runtime=runc', '--cgroup-manager=cgroupfs'],
  ]
  return {
    name: 'podman',
    env: {},
    // podman's own limits are higher than some machines'.
    options: [`--cgroup-parent=/${cgroup}`, '--ulimit=nofile=4096', '--ulimit=nproc=4096'],
    privileged: ['--privileged'],
    call: (args) => capture('podman', [...settings, ...args]),
    [Symbol.asyncDispose]: async () => {
      await capture('podman', [...settings, 'rm', '--all', '--force'])
      removeControlGroups(cgroup)
      directory[Symbol.dispose]()
    },
  }
}
