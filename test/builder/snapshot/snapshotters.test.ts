import { SNAPSHOTTER_KINDS } from '#core'
import { snapshotSuite } from '../../suites/snapshot.ts'

for (const kind of SNAPSHOTTER_KINDS) snapshotSuite(kind)
