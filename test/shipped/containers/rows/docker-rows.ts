import {
  IN_PLACE,
  lacks,
  NO_DEVICES,
  NO_NAMESPACES,
  NO_SET_UID,
  NO_SET_UID_PROGRAMS,
  NOT_ROOT,
  READ_ONLY_ROOT,
} from './messages.ts'
import { OPEN_ROWS } from './open-rows.ts'
import { allSteps, type Failures, NO_NEW_PRIVILEGES, READ_ONLY, type Row, USER } from './row.ts'

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

/** What steps in place miss with one capability less. */
const WITHOUT: Readonly<Record<string, Failures>> = {
  CHOWN: allSteps(lacks('CHOWN')),
  DAC_OVERRIDE: allSteps(lacks('DAC_OVERRIDE')),
  FOWNER: allSteps(lacks('FOWNER')),
  FSETID: allSteps(lacks('FSETID')),
  MKNOD: { devices: NO_DEVICES },
  SETFCAP: {
    capabilities: '/bin/may-read: Operation not permitted',
    apt: 'E: Sub-process /usr/bin/dpkg returned an error code (1)',
  },
  SETGID: allSteps(lacks('SETGID')),
  SETUID: allSteps(lacks('SETUID')),
}

/** Containers of docker as it is installed. */
export const DOCKER_ROWS: readonly Row[] = [
  ...OPEN_ROWS,
  {
    name: 'default, root, an image of another',
    kind: { image: 'slim' },
    fails: allSteps(NO_NAMESPACES),
    warnings: [],
  },
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: {},
    warnings: [IN_PLACE],
  },
  {
    name: 'default, root, store on a volume',
    kind: { image: 'tsbuild', store: 'volume' },
    fails: {},
    warnings: [IN_PLACE],
  },
  {
    name: 'default, root, no-new-privileges',
    kind: { image: 'tsbuild', options: NO_NEW_PRIVILEGES },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [IN_PLACE, NO_SET_UID_PROGRAMS],
  },
  {
    name: 'default, uid 1000',
    kind: { image: 'tsbuild', options: USER },
    fails: allSteps(NOT_ROOT),
    warnings: [],
  },
  {
    name: 'default, all capabilities dropped',
    kind: { image: 'tsbuild', options: ['--cap-drop', 'ALL'] },
    fails: allSteps(lacks(...DOCKERS_CAPABILITIES)),
    warnings: [],
  },
  {
    name: 'default, read-only root, tmpfs',
    kind: { image: 'tsbuild', options: READ_ONLY, store: 'tmpfs' },
    fails: allSteps(READ_ONLY_ROOT),
    warnings: [],
  },
  ...DOCKERS_CAPABILITIES.map((capability) => ({
    name: `default, root without ${capability}`,
    kind: { image: 'tsbuild', options: ['--cap-drop', capability] } as const,
    fails: WITHOUT[capability] ?? {},
    warnings: [IN_PLACE],
  })),
]
