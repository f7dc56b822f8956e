import {
  lacksWithNamespaces,
  NO_DEVICES,
  NO_SET_UID,
  NO_SET_UID_PROGRAMS,
  ONE_ID,
  OTHERS_ARE_ROOTS,
  SHARED_NETWORK,
  SHARED_PROCESSES,
  WITH_ONE_ID,
} from './messages.ts'
import { OPEN_ROWS } from './open-rows.ts'
import { allSteps, NO_NEW_PRIVILEGES, READ_ONLY, type Row, USER } from './row.ts'

const SHARED_HOST_NAME =
  'steps have the host name of this container: a filter of system calls refuses them another (start it without the filter: --security-opt seccomp=unconfined)'

/** podman's filter of system calls lets everyone make user namespaces and mounts in them. */
const USER_NAMESPACE = [SHARED_HOST_NAME, SHARED_NETWORK, SHARED_PROCESSES]

/** Containers of podman as it is installed. */
export const PODMAN_ROWS: readonly Row[] = [
  ...OPEN_ROWS,
  {
    name: 'default, root, an image of another',
    kind: { image: 'slim' },
    fails: { devices: NO_DEVICES },
    warnings: USER_NAMESPACE,
  },
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: { devices: NO_DEVICES },
    warnings: USER_NAMESPACE,
  },
  {
    name: 'default, root, no-new-privileges',
    kind: { image: 'tsbuild', options: NO_NEW_PRIVILEGES },
    fails: { devices: NO_DEVICES, users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [...USER_NAMESPACE, NO_SET_UID_PROGRAMS],
  },
  {
    name: 'default, uid 1000',
    kind: { image: 'tsbuild', options: USER },
    fails: WITH_ONE_ID,
    warnings: [...USER_NAMESPACE, ONE_ID],
    alsoWarns: { compile: OTHERS_ARE_ROOTS },
  },
  {
    name: 'default, all capabilities dropped',
    kind: { image: 'tsbuild', options: ['--cap-drop', 'ALL'] },
    // The kernel gives a user namespace no root that is the machine's, without SETFCAP.
    fails: allSteps(
      lacksWithNamespaces(
        ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETGID', 'SETUID', 'SETFCAP'],
      ),
    ),
    warnings: [],
  },
  {
    name: 'default, read-only root, tmpfs',
    kind: { image: 'tsbuild', options: READ_ONLY, store: 'tmpfs' },
    fails: { devices: NO_DEVICES },
    warnings: USER_NAMESPACE,
  },
]
