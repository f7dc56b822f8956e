import { COLUMNS, type Column } from './builds.ts'
import type { Kind } from './kinds.ts'

/** A kind of container, and what becomes of each build in it. */
export interface Row {
  readonly name: string
  readonly kind: Kind
  /** The builds that cannot be done there, with the exact error; all others equal the host's. */
  readonly fails: Failures
  /** The exact warning of builds with a RUN, when their isolation is less than on a host. */
  readonly warning?: string
}

type Failures = Readonly<Partial<Record<Column, string>>>

const UNCONFINED = ['--security-opt', 'seccomp=unconfined']
const NO_NEW_PRIVILEGES = ['--security-opt', 'no-new-privileges']
const USER = ['--user', '1000']
const READ_ONLY = ['--read-only']

/** The capabilities that docker leaves a container, each of which an administrator may take away. */
const DOCKERS_CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

const NO_STEPS = 'RUN cannot be isolated here'
const IN_PLACE = 'steps run in place'
const NO_DEVICES = 'mknod: /nodes/null: Operation not permitted'
const NO_SET_UID = '/private: Permission denied'

/** What steps in place miss with one capability less. */
const WITHOUT: Readonly<Record<string, Failures>> = {
  MKNOD: { devices: NO_DEVICES },
}

/** Every build with a RUN fails with this. */
function allSteps(error: string): Failures {
  const failing = COLUMNS.filter((column) => column !== 'copies')
  return Object.fromEntries(failing.map((column) => [column, error]))
}

/** Rows of an engine whose root is the machine's. */
export const ROWS: readonly Row[] = [
  {
    name: 'privileged, store in the container',
    kind: { image: 'slim', isPrivileged: true },
    fails: {},
  },
  {
    name: 'privileged, store on a volume',
    kind: { image: 'slim', isPrivileged: true, store: 'volume' },
    fails: {},
  },
  {
    name: 'privileged, no-new-privileges',
    kind: { image: 'slim', isPrivileged: true, options: NO_NEW_PRIVILEGES, store: 'volume' },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
  },
  {
    name: 'privileged, read-only root, tmpfs',
    kind: { image: 'slim', isPrivileged: true, options: READ_ONLY, store: 'tmpfs' },
    fails: {},
  },
  {
    name: 'unconfined, root',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
  },
  {
    name: 'unconfined, root, store on a volume',
    kind: { image: 'slim', options: UNCONFINED, store: 'volume' },
    fails: { devices: NO_DEVICES },
  },
  {
    name: 'unconfined, root, no-new-privileges',
    kind: { image: 'slim', options: [...UNCONFINED, ...NO_NEW_PRIVILEGES] },
    fails: { devices: NO_DEVICES, users: NO_SET_UID, capabilities: NO_SET_UID },
  },
  {
    name: 'unconfined, uid 1000',
    kind: { image: 'slim', options: [...UNCONFINED, ...USER] },
    fails: { devices: NO_DEVICES },
  },
  {
    name: 'default, root, an image of another',
    kind: { image: 'slim' },
    fails: allSteps(NO_STEPS),
  },
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: {},
    warning: IN_PLACE,
  },
  {
    name: 'default, root, store on a volume',
    kind: { image: 'tsbuild', store: 'volume' },
    fails: {},
    warning: IN_PLACE,
  },
  {
    name: 'default, root, no-new-privileges',
    kind: { image: 'tsbuild', options: NO_NEW_PRIVILEGES },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
    warning: IN_PLACE,
  },
  {
    name: 'default, uid 1000',
    kind: { image: 'tsbuild', options: USER },
    fails: allSteps(NO_STEPS),
  },
  {
    name: 'default, all capabilities dropped',
    kind: { image: 'tsbuild', options: ['--cap-drop', 'ALL'] },
    fails: allSteps(NO_STEPS),
  },
  {
    name: 'default, read-only root, tmpfs',
    kind: { image: 'tsbuild', options: READ_ONLY, store: 'tmpfs' },
    fails: allSteps(NO_STEPS),
  },
  ...DOCKERS_CAPABILITIES.map((capability) => ({
    name: `default, root without ${capability}`,
    kind: { image: 'tsbuild', options: ['--cap-drop', capability] } as const,
    fails: WITHOUT[capability] ?? {},
    warning: IN_PLACE,
  })),
]

/** Rows of a docker whose containers are in a user namespace, which it makes no privileged ones in. */
export const REMAPPED_ROWS: readonly Row[] = [
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: { devices: NO_DEVICES },
    warning: IN_PLACE,
  },
  {
    name: 'unconfined',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
  },
  {
    name: 'all that privileged gives',
    kind: {
      image: 'slim',
      options: ['--cap-add', 'ALL', ...UNCONFINED, '--security-opt', 'systempaths=unconfined'],
    },
    fails: { devices: NO_DEVICES },
  },
]
