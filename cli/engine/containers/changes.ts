import { createWriteStream, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { ioError, usageError } from '#core'
import { pathOf, sinkOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { note, print, type Shell } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { forEachName, withEngine } from '../connect/with-engine.ts'
import { LIMIT_FLAGS } from '../create/flags.ts'
import { parseLimits } from '../create/resources.ts'
import { parseRestart } from '../create/restart.ts'
import { withoutEmpty } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'
import { type ListKind, printList } from '../format/list.ts'
import { showProgress } from '../images/json-progress.ts'

const CHANGES = flagsOf(
  'Image',
  { 'c, change INSTRUCTION': 'Apply an instruction of a Dockerfile: \'CMD ["sh"]\'' },
  { repeat: true },
)

/** `tsbuild commit` */
export const COMMIT: EngineCommand = {
  name: 'commit',
  summary: 'Make an image of what a container has changed',
  usage: 'tsbuild commit [flags] CONTAINER [NAME[:TAG]]',
  flags: [
    ...CHANGES,
    ...flagsOf('Image', {
      'a, author TEXT': 'Who has made it',
      'm, message TEXT': 'What has changed',
    }),
    ...flagsOf('How', {
      'p, pause': 'Let the container stand still meanwhile (default: true)',
      'no-pause': 'Let it go on',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild commit -c \'CMD ["nginx"]\' web web:changed', 'with another command']],
  run: async (args, shell) => {
    const usage = 'tsbuild commit [flags] CONTAINER [NAME[:TAG]]'
    const [container = '', name = ''] = expectArguments(args, { least: 1, most: 2, usage })
    const { repo, tag } = splitImage(name)
    const isPaused = args.text('pause') !== 'false' && !args.has('no-pause')
    const query = {
      container,
      repo,
      tag,
      comment: args.text('message'),
      author: args.text('author'),
      changes: args.list('change'),
      pause: isPaused ? undefined : false,
    }
    return await withEngine(args, shell, async ({ client }) => {
      const answer = await client.json({ method: 'POST', path: '/commit', query })
      await print(shell, `${objectOf(answer).Id}\n`)
      return 0
    })
  },
}

/** A name and its tag, which is `latest` unless there is one. */
function splitImage(name: string): {
  readonly repo: string | undefined
  readonly tag: string | undefined
} {
  if (name === '') return { repo: undefined, tag: undefined }
  const [, repo = name, tag = 'latest'] = /^(.*?)(?::([^:/]+))?$/.exec(name) ?? []
  return { repo, tag }
}

const KINDS = ['C', 'A', 'D']

const CHANGE_LIST: ListKind<Fields> = {
  columns: {
    Type: ['CHANGE TYPE', ({ Kind }) => KINDS[Number(Kind)] ?? ''],
    Path: ['PATH', ({ Path }) => String(Path)],
  },
  table: ['Type', 'Path'],
  quiet: '{{.Path}}',
}

/** `tsbuild diff` */
export const DIFF: EngineCommand = {
  name: 'diff',
  summary: 'List the files that a container has changed (C), added (A) or deleted (D)',
  usage: 'tsbuild diff [flags] CONTAINER',
  flags: [
    ...flagsOf('Screen', {
      'format FORMAT': 'The form: table, json, or a template: {{.Type}} {{.Path}}',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild diff [flags] CONTAINER'
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
    return await withEngine(args, shell, async ({ client }) => {
      const answer = await client.json({ path: pathOf`/containers/${name}/changes` })
      const changes = objectsOf(answer)
      if (args.text('format') !== undefined) {
        await printList(changes, CHANGE_LIST, { args, shell })
        return 0
      }
      const lines = changes.map(({ Kind, Path }) => `${KINDS[Number(Kind)] ?? ''} ${Path}\n`)
      await print(shell, cleanText(lines.join('')))
      return 0
    })
  },
}

/** `tsbuild rename` */
export const RENAME: EngineCommand = {
  name: 'rename',
  summary: 'Give a container another name',
  usage: 'tsbuild rename CONTAINER NAME',
  flags: ENGINE_FLAGS,
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild rename CONTAINER NAME'
    const [container = '', name = ''] = expectArguments(args, { least: 2, most: 2, usage })
    if (container.trim() === '' || name.trim() === '') {
      throw usageError('Error: Neither old nor new names may be empty')
    }
    return await withEngine(args, shell, async ({ client }) => {
      const path = pathOf`/containers/${container}/rename`
      await client.json({ method: 'POST', path, query: { name } })
      return 0
    })
  },
}

/** `tsbuild update` */
export const UPDATE: EngineCommand = {
  name: 'update',
  summary: 'Change the limits and the restart policy of containers',
  usage: 'tsbuild update [flags] CONTAINER…',
  flags: [
    ...LIMIT_FLAGS,
    ...flagsOf('Container', {
      'restart POLICY':
        'When it is started again: no, on-failure[:COUNT], always or unless-stopped',
    }),
    ...flagsOf(
      'Limits',
      { 'kernel-memory SIZE': 'Is ignored by daemons of today' },
      { isHidden: true },
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild update -m 256m --memory-swap 512m web', 'more memory']],
  run: async (args, shell) => {
    const usage = 'tsbuild update [flags] CONTAINER…'
    const names = expectArguments(args, { least: 1, most: 10_000, usage })
    const restart = args.text('restart')
    const value = {
      ...withoutEmpty(parseLimits(args)),
      ...(restart === undefined ? {} : { RestartPolicy: parseRestart(restart) }),
    }
    if (Object.keys(value).length === 0) {
      throw usageError('you must provide one or more flags when using this command')
    }
    return await withEngine(args, shell, async ({ client }) => {
      return await forEachName(names, shell, async (name) => {
        const path = pathOf`/containers/${name}/update`
        const answer = await client.json({ method: 'POST', path, body: { kind: 'json', value } })
        const { Warnings } = objectOf(answer)
        for (const warning of Array.isArray(Warnings) ? Warnings : []) {
          note(shell, cleanText(String(warning)))
        }
        await print(shell, `${name}\n`)
      })
    })
  },
}

/** `tsbuild export` */
export const EXPORT: EngineCommand = {
  name: 'export',
  summary: 'Write the files of a container as a tar',
  usage: 'tsbuild export [flags] CONTAINER',
  flags: [
    ...flagsOf(
      'Result',
      { 'o, output FILE': 'Where to (default: standard output)' },
      { values: 'paths' },
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild export web > web.tar', 'all files']],
  run: async (args, shell) => {
    const usage = 'tsbuild export [flags] CONTAINER'
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
    const file = args.text('output')
    if (file === undefined && shell.stdout.isTTY === true) {
      throw usageError(
        'cowardly refusing to export to a terminal, specify a file with --output (-o) or use redirection',
      )
    }
    return await withEngine(args, shell, async ({ client }) => {
      const { body } = await client.send({ path: pathOf`/containers/${name}/export` })
      if (file !== undefined) await pipeline(body, createWriteStream('', { fd: openNew(file) }))
      else {
        const sink = sinkOf(shell.stdout)
        for await (const bytes of body) await sink(bytes)
      }
      return 0
    })
  },
}

async function openTar(path: string, { stdin }: Shell): Promise<AsyncIterable<Uint8Array>> {
  if (path === '-') return stdin as unknown as AsyncIterable<Uint8Array>
  const file = await open(path).catch((cause) => {
    throw ioError(`open ${path}`, cause)
  })
  return file.createReadStream()
}

function openNew(path: string): number {
  try {
    return openSync(path, 'w', 0o600)
  } catch (cause) {
    throw ioError(`open ${path}`, cause)
  }
}

/** `tsbuild import` */
export const IMPORT: EngineCommand = {
  name: 'import',
  summary: 'Make an image of a tar of files',
  usage: 'tsbuild import [flags] FILE|URL|- [NAME[:TAG]]',
  flags: [
    ...CHANGES,
    ...flagsOf('Image', {
      'm, message TEXT': 'What it is',
      'platform OS/ARCH': 'What it runs on',
    }),
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild import -c \'CMD ["sh"]\' files.tar base', 'with a command']],
  run: async (args, shell) => {
    const usage = 'tsbuild import [flags] FILE|URL|- [NAME[:TAG]]'
    const [source = '', name = ''] = expectArguments(args, { least: 1, most: 2, usage })
    const isUrl = /^https?:\/\//.test(source)
    const repo = name || undefined
    const [message, platform] = [args.text('message'), args.text('platform')]
    const fromSrc = isUrl ? source : '-'
    const query = { fromSrc, repo, message, platform, changes: args.list('change') }
    return await withEngine(args, shell, async ({ client }) => {
      const bytes = isUrl ? undefined : await openTar(source, shell)
      const body = bytes === undefined ? {} : ({ body: { kind: 'tar', bytes } } as const)
      const messages = client.messages({ method: 'POST', path: '/images/create', query, ...body })
      const lines: string[] = []
      await showProgress(messages, {
        write: (text) => lines.push(String(text)),
      })
      await print(shell, lines.join(''))
      return 0
    })
  },
}
