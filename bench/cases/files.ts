import { join } from 'node:path'
import { writeContext } from '../contexts/dockerfile.ts'
import { changeOneFile, writeBigFile, writeTree } from '../contexts/files.ts'
import type { Case } from './bench.ts'
import { BARE_NODE } from './beside.ts'
import { caseOf, type Workload } from './workload.ts'

/** COPY of 20,000 files, then a RUN. */
const COPIED: Pick<Workload, 'bases' | 'context'> = {
  bases: ['busybox'],
  context: (directory, [base = '']) => {
    const steps = ['COPY tree /tree', 'RUN find /tree -type f | wc -l > /count']
    const context = writeContext(directory, [`FROM ${base}`, ...steps])
    writeTree(context)
    return context
  },
}

/** Many files, and a large one. */
export const FILE_CASES: readonly Case[] = [
  caseOf({
    ...COPIED,
    name: 'files',
    title: '20,000 files (272 MB), then a RUN, cold',
    goal: { ofBuildKit: 1 / 7 },
    storage: 'bases',
  }),
  caseOf({
    ...COPIED,
    name: 'files-cached',
    title: '20,000 files (272 MB), then a RUN, all cached',
    goal: { ofBuildKit: 0.3 },
    storage: 'build',
  }),
  caseOf({
    ...COPIED,
    name: 'files-changed',
    title: '20,000 files (272 MB), then a RUN, one file changed',
    storage: 'build',
    change: changeOneFile,
  }),
  caseOf({
    name: 'files-stage',
    title: 'a stage of 20,000 files, COPY --from, cold',
    goal: { ofBuildKit: 1 / 7 },
    bases: ['busybox'],
    context: (directory, [base = '']) => {
      const context = writeContext(directory, [
        `FROM ${base} AS files`,
        'COPY tree /made/tree',
        'RUN find /made -type f | wc -l > /made/count',
        `FROM ${base}`,
        'COPY --from=files /made /made',
        'RUN cat /made/count > /count',
      ])
      writeTree(context)
      return context
    },
    storage: 'bases',
  }),
  caseOf({
    ...COPIED,
    name: 'push',
    title: 'push of 20,000 files, gzip',
    goal: { ofBuildKit: 1 / 4 },
    storage: 'new build',
    sent: 'new repository',
  }),
  caseOf({
    ...COPIED,
    name: 'push-zstd',
    title: 'push of 20,000 files, zstd',
    goal: { ofBuildKit: 1 / 6 },
    storage: 'new build',
    sent: 'new repository',
    compression: 'zstd',
  }),
  caseOf({
    ...COPIED,
    name: 'push-again',
    title: 'push of 20,000 files, the second one',
    goal: { seconds: 0.3 },
    storage: 'build',
    sent: 'same repository',
    isSentBefore: true,
  }),
  caseOf({
    name: 'big-cached',
    title: 'a file of 512 MiB, all cached',
    goal: { ofBuildKit: 1, ofBeside: 2.5 },
    bases: ['busybox'],
    context: (directory, [base = '']) => {
      const context = writeContext(directory, [`FROM ${base}`, 'COPY big /big', 'RUN true'])
      writeBigFile(join(context, 'big'), 512)
      return context
    },
    storage: 'build',
    beside: BARE_NODE,
  }),
]
