import { readFileSync } from 'node:fs'
import { capture, removeControlGroups, temporaryDirectory } from '../../support/peers/index.ts'
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
    options: [`--cgroup-parent=/${cgroup}`, ...limitsOfThisProcess()],
    call: (args) => capture('podman', [...settings, ...args]),
    [Symbol.asyncDispose]: async () => {
      await capture('podman', [...settings, 'rm', '--all', '--force'])
      removeControlGroups(cgroup)
      directory[Symbol.dispose]()
    },
  }
}

/** podman asks for more than the machine may allow. */
function limitsOfThisProcess(): string[] {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const hard = (name: string): string =>
    new RegExp(`^${name} +\\S+ +(\\d+)`, 'm').exec(limits)?.[1] ?? '1024'
  const files = hard('Max open files')
  const processes = hard('Max processes')
  return [`--ulimit=nofile=${files}:${files}`, `--ulimit=nproc=${processes}:${processes}`]
}
