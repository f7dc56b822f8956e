import type { Flag } from './flags.ts'

/** `--isolation` */
export const ISOLATION: Flag = {
  name: 'isolation',
  metavar: 'KIND',
  help: 'How steps are kept apart: auto, namespaces, in-place (in the root of the container), or strict: namespaces with networks of their own, or an error',
  group: 'How it is run',
}

/** Flags about what RUN steps may do and use. */
export const STEP_FLAGS: readonly Flag[] = [
  {
    name: 'allow',
    metavar: 'RIGHT',
    repeat: true,
    help: 'Let the Dockerfile use network.host or security.insecure',
  },
  { name: 'add-host', metavar: 'HOST:IP', repeat: true, help: 'Add a line to /etc/hosts' },
  { name: 'shm-size', metavar: 'SIZE', help: 'Size of /dev/shm (default: 64m)' },
  {
    name: 'ulimit',
    metavar: 'NAME=SOFT[:HARD]',
    repeat: true,
    help: 'A limit of each process, such as nofile=1024:4096',
  },
  { name: 'memory', short: 'm', metavar: 'SIZE', help: 'Memory that a step may use' },
  { name: 'memory-swap', metavar: 'SIZE', help: 'Memory and swap together; -1: any amount' },
  { name: 'cpu-shares', short: 'c', metavar: 'N', help: 'Weight of a step, 1024 being usual' },
  { name: 'cpu-period', metavar: 'MICROSECONDS', help: 'Length of a period for --cpu-quota' },
  { name: 'cpu-quota', metavar: 'MICROSECONDS', help: 'CPU time that a step may use a period' },
  { name: 'cpuset-cpus', metavar: 'LIST', help: 'CPUs that a step may run on: 0-2,7' },
  { name: 'cpuset-mems', metavar: 'LIST', help: 'Memory nodes that a step may use: 0,1' },
  {
    name: 'pids-limit',
    metavar: 'N',
    help: 'Processes that a step may have (default: 2048 where that can be limited)',
  },
  ...[
    { kind: 'read-bps', metavar: 'DEVICE:SIZE', help: 'Bytes a second that a step may read' },
    { kind: 'write-bps', metavar: 'DEVICE:SIZE', help: 'Bytes a second that a step may write' },
    { kind: 'read-iops', metavar: 'DEVICE:N', help: 'Reads a second of a step' },
    { kind: 'write-iops', metavar: 'DEVICE:N', help: 'Writes a second of a step' },
  ].map(({ kind, ...flag }) => ({ ...flag, name: `device-${kind}`, repeat: true })),
  ISOLATION,
  {
    name: 'runtime',
    metavar: 'PROGRAM',
    help: 'OCI runtime that starts steps: runc, crun, or a path (default: none)',
  },
  {
    name: 'snapshotter',
    metavar: 'KIND[,size=SIZE]',
    help: 'How steps get their files: auto, overlay, overlay-tmpfs (SIZE is what a step may write to memory), fuse-overlayfs or copies; auto never takes fuse-overlayfs, which misses some changes',
  },
  { name: 'cgroup-parent', metavar: 'PATH', help: 'Where control groups of steps are made' },
].map((flag) => ({ ...flag, group: 'Limits and rights of RUN steps' }))
