import { IN_PLACE, NO_DEVICES, SHARED_NETWORK, SHARED_PROCESSES } from './messages.ts'
import { type Row, UNCONFINED } from './row.ts'

/** Rows of a docker whose containers are in a user namespace, which it makes no privileged ones in. */
export const REMAPPED_ROWS: readonly Row[] = [
  {
    name: 'default, root',
    kind: { image: 'tsbuild' },
    fails: { devices: NO_DEVICES },
    warnings: [IN_PLACE],
  },
  {
    name: 'unconfined',
    kind: { image: 'slim', options: UNCONFINED },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK, SHARED_PROCESSES],
  },
  {
    name: 'all that privileged gives',
    kind: {
      image: 'slim',
      options: ['--cap-add', 'ALL', ...UNCONFINED, '--security-opt', 'systempaths=unconfined'],
    },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK],
  },
  {
    name: 'default with SYS_ADMIN',
    kind: { image: 'tsbuild', options: ['--cap-add', 'SYS_ADMIN'] },
    fails: { devices: NO_DEVICES },
    warnings: [SHARED_NETWORK],
  },
]
