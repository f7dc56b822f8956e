import { writeFileSync } from 'node:fs'
import { runProgram } from '../../../cli/main.ts'
import { type EngineRecord, startRecordingEngine } from '../../support/engines/index.ts'
import { capture, type TemporaryDirectory } from '../../support/peers/index.ts'
import { fakeShell } from '../support/fake-shell.ts'

/** What two clients asked for the same command line, and printed. */
export interface Compared {
  readonly docker: Asked
  readonly tsbuild: Asked
}

interface Asked {
  readonly requests: readonly EngineRecord[]
  readonly status: number | undefined
  readonly stdout: string
}

/** Runs command lines with docker's client and this one against an engine that does nothing. */
export interface RequestComparison extends AsyncDisposable {
  compare(words: readonly string[]): Promise<Compared>
}

/** @param docker path of the client. @param version of the interface that is offered to both */
export async function compareRequests(
  directory: TemporaryDirectory,
  { docker, version }: { readonly docker: string; readonly version: string },
): Promise<RequestComparison> {
  const engine = await startRecordingEngine(directory.file('engine.sock'), version)
  const files = writeFiles(directory)
  const env = {
    DOCKER_HOST: engine.address,
    DOCKER_CONFIG: directory.file('config'),
    HOME: directory.path,
  }
  return {
    compare: async (words) => {
      // A word has no spaces in the table.
      const argv = words.map((word) =>
        withFiles(word, files).replaceAll('_', (one) => (/^c_1/.test(word) ? ' ' : one)),
      )
      const theirs = await capture(docker, argv, { env })
      const asked = engine.taken().filter((record) => !isNeedless(record, words))
      const shell = fakeShell({ env })
      const status = await runProgram(argv, shell)
      const own = engine.taken().map(meaning)
      return {
        docker: { requests: asked.map(meaning), status: theirs.status, stdout: theirs.stdout },
        tsbuild: { requests: own, status, stdout: shell.out() },
      }
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}

/**
 * Docker waits for a container in the background, too, and does nothing with the answer; it looks at a container before
 * it starts a process in it, and at a network before it removes that.
 */
function isNeedless({ method, path }: EngineRecord, words: readonly string[]): boolean {
  if (words.includes('-d') && path.endsWith('/wait')) return true
  if (path === '/version' || (words[0] === 'network' && words[1] === 'rm' && method === 'GET'))
    return true
  return words[0] === 'exec' && path === '/containers/web/json'
}

function writeFiles(directory: TemporaryDirectory): Readonly<Record<string, string>> {
  const texts = {
    ENV_FILE: '# comment\nA=1\n  B=two words\nHOME\nNOT_SET_HERE\n\nC=\n',
    LABEL_FILE: '# comment\nx=1\ny\nz=a=b\n',
    PROFILE_FILE: '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n',
  }
  const files = Object.keys(texts).map((name) => [name, directory.file(name)] as const)
  for (const [name, text] of Object.entries(texts)) writeFileSync(directory.file(name), text)
  return Object.fromEntries(files)
}

function withFiles(word: string, files: Readonly<Record<string, string>>): string {
  return Object.entries(files).reduce((text, [name, path]) => text.replace(name, path), word)
}

/** Without what means nothing: clients write empty fields or leave them out. */
function meaning({ method, path, query, body }: EngineRecord): EngineRecord {
  return {
    method,
    path,
    query: Object.fromEntries(
      Object.entries(query)
        .map(([name, value]) => [name, value.replace(/^docker\.io\/library\//, '')] as const)
        .filter(([, value]) => !/^(?:|0|false|null|not-running|KILL|all)$/.test(value)),
    ),
    body: filled(body) ?? undefined,
  }
}

function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => filled(item) ?? item)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
    .map(([name, field]) => [name, filled(ordered(name, field))] as const)
    .filter(([name, field]) => !isEmpty(name, field))
  return fields.length === 0
    ? undefined
    : Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Docker's client writes variables in any order; newer ones write capabilities in full. */
function ordered(name: string, field: unknown): unknown {
  if (!Array.isArray(field)) return field
  if (name === 'Env' || name === 'Binds') return field.toSorted()
  return /^Cap/.test(name) ? field.map((one) => String(one).replace(/^CAP_/, '')).sort() : field
}

/** Fields that are as if they were not there. */
function isEmpty(name: string, value: unknown): boolean {
  if (name === 'MemorySwappiness' && value === -1) return true
  if (name === 'CheckDuplicate' || name === 'Detach') return true
  if (name === 'ConsoleSize' && String(value) === '0,0') return true
  // These are docker's values for what is not given.
  if (name === 'StopTimeout' || name === 'Init') return value === undefined
  if (Array.isArray(value)) return value.length === 0
  return value === undefined || value === null || value === '' || value === 0 || value === false
}
