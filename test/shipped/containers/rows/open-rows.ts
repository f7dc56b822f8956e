import {
  NO_DEVICES,
  NO_SET_UID,
  NO_SET_UID_PROGRAMS,
  ONE_ID,
  OTHERS_ARE_ROOTS,
  SHARED_NETWORK,
  SHARED_PROCESSES,
  WITH_ONE_ID,
} from './messages.ts'
import { NO_NEW_PRIVILEGES, READ_ONLY, type Row, UNCONFINED, USER } from './row.ts'

/** Containers whose system calls are not filtered, which are the same with every engine. */
export const OPEN_ROWS: readonly Row[] = [
  {
    name: 'privileged, store in the container',
    kind: { image: 'slim', isPrivileged: true },
    fails: {},
    warnings: [],
  },
  {
    name: 'privileged, store on a volume',
    kind: { image: 'slim', isPrivileged: true, store: 'volume' },
    fails: {},
    warnings: [],
  },
  {
    name: 'privileged, no-new-privileges',
    kind: { image: 'slim', isPrivileged: true, options: NO_NEW_PRIVILEGES, store: 'volume' },
    fails: { users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [NO_SET_UID_PROGRAMS],
  },
  {
    name: 'privileged, read-only root, tmpfs',
    kind: { image: 'slim', isPrivileged: true, options: READ_ONLY, store: 'tmpfs' },
    fails: {},
    warnings: [],
  },
  {
    name: 'unconfined, root',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, root, store on a volume',
    kind: { image: 'slim', options: UNCONFINED, store: 'volume' },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, root, no-new-privileges',
    kind: { image: 'slim', options: [...UNCONFINED, ...NO_NEW_PRIVILEGES] },
    fails: { devices: NO_DEVICES, users: NO_SET_UID, capabilities: NO_SET_UID },
    warnings: [NO_SET_UID_PROGRAMS, SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'unconfined, uid 1000',
    kind: { image: 'slim', options: [...UNCONFINED, ...USER] },
    fails: WITH_ONE_ID,
    warnings: [ONE_ID, SHARED_NETWORK, SHARED_PROCESSES],
    alsoWarns: { compile: OTHERS_ARE_ROOTS },
  },
]
