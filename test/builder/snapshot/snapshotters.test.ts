import { SNAPSHOTTER_KINDS } from '#builder/snapshot'
import { snapshotSuite } from '../../suites/snapshot.ts'

for (const kind of SNAPSHOTTER_KINDS) snapshotSuite(kind)
