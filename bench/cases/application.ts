import { writeContext } from '../contexts/dockerfile.ts'
import type { Case } from './bench.ts'
import { BARE_NODE, UNPACKING } from './beside.ts'
import { caseOf, type Workload } from './workload.ts'

const APPLICATION: Pick<Workload, 'bases' | 'context'> = {
  bases: ['debian'],
  context: (directory, [base = '']) =>
    writeContext(
      directory,
      [
        `FROM ${base}`,
        'WORKDIR /app',
        'COPY app /app',
        'RUN cat /app/* | sort > /app/index && useradd --create-home app',
        'RUN chown -R app /app && sha256sum /app/index > /app/sum',
        'USER app',
        'CMD ["cat", "/app/sum"]',
      ],
      Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`app/part${index}.txt`, `part ${index}\n`]),
      ),
    ),
}

/** Builds on a Debian, as applications are built. */
export const APPLICATION_CASES: readonly Case[] = [
  caseOf({
    ...APPLICATION,
    name: 'application',
    title: 'a small application on a Debian base, 4 steps, cold',
    goal: { ofBuildKit: 0.6 },
    storage: 'bases',
  }),
  caseOf({
    ...APPLICATION,
    name: 'application-cached',
    title: 'a small application on a Debian base, 4 steps, all cached',
    goal: { ofBuildKit: 1, ofBeside: 2.5 },
    storage: 'build',
    beside: BARE_NODE,
  }),
  caseOf({
    ...APPLICATION,
    name: 'push-application',
    title: 'first push of a small application, whose base the registry has',
    goal: { ofBuildKit: 1 },
    storage: 'new build',
    sent: 'new repository',
  }),
  caseOf({
    ...APPLICATION,
    name: 'archive-cached',
    title: 'a small application to an OCI archive, all cached',
    goal: { ofBuildKit: 1 },
    storage: 'build',
    sent: 'archive',
    isSentBefore: true,
  }),
  caseOf({
    name: 'pull',
    title: 'pull and unpack a Debian base, one RUN',
    goal: { ofBuildKit: 0.45 },
    bases: ['debian'],
    context: (directory, [base = '']) => writeContext(directory, [`FROM ${base}`, 'RUN true']),
    storage: 'nothing',
    beside: UNPACKING,
  }),
]
