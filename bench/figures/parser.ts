import { mkdirSync, writeFileSync } from 'node:fs'
import { parseDockerfile } from '#parser'
import { temporaryDirectory } from '../../test/support/peers/index.ts'
import { CLI } from '../builders/tsbuild.ts'
import { measureProgram } from '../measure/program.ts'
import { median } from '../measure/statistics.ts'
import { milliseconds } from '../report/times.ts'

const INSTRUCTIONS = 1000
const REPETITIONS = 25

/** One line of most families, as people write them. */
const LINES: readonly string[] = [
  'RUN apt-get update && apt-get install -y --no-install-recommends \\\n    ca-certificates \\\n    curl',
  'ENV PATH=/opt/app/bin:$PATH LANG=C.UTF-8',
  'COPY --from=build --chown=app:app /src/target /opt/app/',
  'ARG VERSION=1.2.3 REVISION',
  'LABEL org.opencontainers.image.title="An app" version=$VERSION',
  'WORKDIR /opt/app',
  'RUN --mount=type=cache,target=/root/.cache ["make", "install"]',
  'COPY <<EOF /etc/app.conf\nport = 80\nname = $NAME\nEOF',
  'EXPOSE 80 443/tcp',
  'HEALTHCHECK --interval=30s CMD curl -f http://localhost/ || exit 1',
  'USER app',
  'CMD ["/opt/app/bin/app", "--serve"]',
]

/**
 * How fast the parser is, as Markdown: instructions a second once it is warm, and from the start of a
 * process to the AST of a small file, beside the least that any program for Node.js takes.
 */
export function parserFigures(): string {
  using directory = temporaryDirectory('bench-parser')
  const small = directory.file('Dockerfile')
  writeFileSync(small, dockerfile(20))
  const script = directory.file('parse.mjs')
  writeFileSync(script, startScript(small))
  mkdirSync(directory.file('home'))
  const env = { PATH: process.env.PATH ?? '', HOME: directory.file('home') }
  const programs = [['-e', '0'], [script], [CLI, 'parse', small]]
  const [node = 0, library = 0, command = 0] = starts(programs, env)
  const compared = (time: number): string =>
    `${milliseconds(time)}, ${(time / node).toFixed(1)} times`
  return [
    `Parsing ${INSTRUCTIONS} instructions: ${perSecond().toLocaleString('en')} a second.`,
    `From process start to the AST of a 20-line file, beside \`node -e 0\` (${milliseconds(node)}; target: < 3 times): ` +
      `through \`tsbuild/parser\` ${compared(library)}; \`tsbuild parse\` ${compared(command)}.`,
  ].join('\n')
}

/** The median of each, measured in turn, so that a slow minute of the machine falls on all of them. */
function starts(
  programs: readonly (readonly string[])[],
  env: Readonly<Record<string, string>>,
): readonly number[] {
  const rounds = Array.from({ length: REPETITIONS }, () =>
    programs.map((args) => measureProgram(process.execPath, args, { repetitions: 1, env })),
  )
  return programs.map((_, index) => median(rounds.map((times) => times[index] ?? 0)))
}

/** A program that uses the library by its public name, the way an installed one is found. */
function startScript(file: string): string {
  return `import { readFileSync } from 'node:fs'
import { parseDockerfile } from ${JSON.stringify(import.meta.resolve('tsbuild/parser'))}
const { dockerfile } = parseDockerfile(readFileSync(${JSON.stringify(file)}))
if (dockerfile.stages.length !== 1) process.exit(1)
`
}

function perSecond(): number {
  const text = Buffer.from(dockerfile(INSTRUCTIONS))
  const times = Array.from({ length: 4 * REPETITIONS }, () => {
    const began = performance.now()
    parseDockerfile(text)
    return performance.now() - began
  })
  return Math.round((INSTRUCTIONS / median(times)) * 1000)
}

/** A file of so many instructions. */
function dockerfile(count: number): string {
  const lines = Array.from({ length: count - 1 }, (_, index) => LINES[index % LINES.length])
  return `${['FROM debian:12-slim AS app', ...lines].join('\n')}\n`
}
