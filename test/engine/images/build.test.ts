import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  Builds,
  buildCacheUsage,
  buildImage,
  type ProgressMessage,
  pruneBuildCache,
  readBuildQuery,
} from '#engine/images'
import { type Dockerd, startDockerd, until } from '../../support/peers/index.ts'
import { startWebServer } from '../../support/servers/index.ts'
import { askDocker } from './support/docker-http.ts'
import { collect, ImageLab, pieces } from './support/image-lab.ts'

type Values = Readonly<Record<string, string | readonly string[]>>

/** The values of a query as a route reads them. */
function queryOf(values: Values) {
  const all = (name: string): readonly string[] => [values[name] ?? []].flat()
  const text = (name: string): string | undefined => all(name)[0]
  return {
    ...{ all, text },
    flag: (name: string) => text(name) === '1',
    integer: (name: string) => (text(name) === undefined ? undefined : Number(text(name))),
  }
}

/** Ids, and of numbers of bytes, differ. */
function plain(messages: readonly unknown[]): readonly string[] {
  return (messages as readonly ProgressMessage[])
    .filter(({ status }) => status === undefined)
    .map((message) =>
      JSON.stringify(message)
        .replace(/\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, 'ID')
        // In the words of today's docker.
        .replace('"Removing intermediate', '" ---> Removed intermediate')
        // Docker has no order for these.
        .replace(/(?<=build-args \[)[^\]]+/, (names) => names.split(' ').sort().join(' ')),
    )
}

describe('POST /build', () => {
  let lab: ImageLab
  let dockerd: Dockerd
  const builds = new Builds()
  before(async () => {
    ;[lab, dockerd] = await Promise.all([ImageLab.start(), startDockerd()])
    await lab.pull()
    const path = `/v1.41/images/create?fromImage=${lab.busybox}&tag=latest`
    await askDocker(dockerd.socket, ['POST', path])
  })
  after(async () => {
    await dockerd[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  /** Steps have the network of the machine: dockerd has none to give them. */
  const ours = (context: Buffer, values: Values, signal?: AbortSignal) => {
    const query = queryOf({ networkmode: 'host', ...values })
    const request = readBuildQuery(query, pieces(context))
    return buildImage(lab.images, request, { builds, auth: undefined, minor: 41, signal })
  }
  const theirs = async (context: Buffer, values: Values) => {
    const words = new URLSearchParams({ networkmode: 'host' })
    for (const [name, value] of Object.entries(values)) {
      for (const one of [value].flat()) words.append(name, one)
    }
    return await askDocker(dockerd.socket, ['POST', `/v1.41/build?${words}`], context)
  }
  const contextOf = (lines: readonly string[], files = {}): Buffer =>
    lab.tar({ Dockerfile: `${lines.join('\n')}\n`, ...files })

  it('prints what docker’s classic builder prints', async () => {
    const from = `FROM ${lab.busybox}`
    const cases: readonly (readonly [readonly string[], Values])[] = [
      [[from, 'RUN echo one; sleep 0.2; echo two >&2', 'CMD ["sh"]'], { t: ['built:1', 'built'] }],
      [[from, 'RUN echo one; sleep 0.2; echo two >&2', 'CMD ["sh"]'], {}],
      [[`${from} AS a`, 'ENV X=1', 'COPY f /', 'FROM a', 'WORKDIR /w', 'USER 1'], {}],
      [
        [from, 'ARG A=1', 'ARG C=5', 'RUN echo $A $C'],
        { buildargs: '{"A":"2","B":"3","C":null,"D":null}', labels: '{"a":"b"}' },
      ],
      [['ARG V=latest', `${from}:$V AS x`, 'FROM x', 'LABEL c=d'], { target: 'x' }],
      [[from, 'RUN exit 3'], {}],
      [[from, 'RUN ["sh", "-c", "exit 4"]'], {}],
      [[from, 'COPY nosuch /'], {}],
      [[`FROM ${lab.registry.host}/nosuch:1`], {}],
      [[from, 'RUN echo quiet'], { q: '1' }],
      [[from, 'RUN echo quiet; exit 1'], { q: '1' }],
    ]
    for (const [lines, values] of cases) {
      const context = contextOf(lines, { f: '1' })
      const { documents } = await theirs(context, values)
      assert.ok(documents.length > 0)
      // Docker names every stage's image, and has a line of its own for each argument that is not used.
      const expected = plain(documents)
      const isLast = (line: string) => !line.startsWith('{"aux"')
      const own = plain(await collect(ours(context, values)))
      const where = lines.join(' | ')
      assert.deepEqual(own.filter(isLast), expected.filter(isLast), where)
      assert.equal(
        own.some((line) => !isLast(line)),
        expected.some((line) => !isLast(line)),
        where,
      )
    }
  })

  it('fails before the first message where there is nothing to build', async () => {
    const from = `FROM ${lab.busybox}`
    const failure = (lines: readonly string[], values: Values = {}) =>
      collect(ours(contextOf(lines), values)).then(
        () => assert.fail(`${lines} ${JSON.stringify(values)}`),
        (error: { code: string; message: string }) => [error.code, error.message],
      )
    assert.deepEqual(await failure([from], { dockerfile: 'other' }), [
      'CONTEXT_INVALID',
      'Cannot locate specified Dockerfile: other',
    ])
    const [code, message = ''] = await failure([from], { dockerfile: '../../../../etc/passwd' })
    assert.equal(code, 'CONTEXT_INVALID')
    assert.doesNotMatch(message, /root/)
    const [wrong, words = ''] = await failure([from, 'RUNX'])
    assert.equal(wrong, 'DOCKERFILE_INVALID')
    assert.match(words, /^dockerfile parse error on line 2: unknown instruction: RUNX/)
    assert.deepEqual((await failure([from], { target: 'none' }))[0], 'USAGE')
  })

  it('refuses what is another builder’s, and paths of this machine', () => {
    const refused = (values: Values, code = 'USAGE'): void => {
      const read = () => readBuildQuery(queryOf(values), pieces(Buffer.alloc(0)))
      assert.throws(read, { code }, JSON.stringify(values))
    }
    refused({ version: '3' }, 'USAGE')
    refused({ version: '3' })
    for (const remote of [
      '/etc',
      '.',
      'client-session',
      'file:///etc',
      '../x',
      'C:\\x',
      'ext::sh',
    ]) {
      refused({ remote })
    }
    refused({ t: 'BAD' })
    refused({ t: 'x@sha256:'.padEnd(73, '0') })
    refused({ buildargs: '["a"]' })
    refused({ labels: '{' })
    refused({ securityopt: 'seccomp=x' })
    refused({ isolation: 'hyperv' })
    refused({ networkmode: 'container:x' })
    refused({ extrahosts: 'none' })
    refused({ ulimits: '[{"Name":"none","Soft":1,"Hard":1}]' })
  })

  it('takes contexts that are packed, and those of web servers and repositories', async () => {
    const tar = contextOf([`FROM ${lab.busybox}`, 'COPY f /f', 'RUN cat /f'], { f: 'found' })
    const squeezed = ['bzip2', 'xz'].map((tool) => execFileSync(tool, ['-c'], { input: tar }))
    for (const context of [gzipSync(tar), zstdCompressSync(tar), ...squeezed]) {
      const messages = await collect(ours(context, { nocache: '1' }))
      assert.ok(messages.some(({ stream }) => stream === 'found'))
    }
    await using server = await startWebServer((_, response) => void response.end(gzipSync(tar)))
    const remote = `${server.origin}/context.tar.gz`
    const messages = await collect(ours(Buffer.alloc(0), { remote, nocache: '1' }))
    assert.ok(messages.some(({ stream }) => stream === 'found'))
  })

  it('applies the ignore file once more', async () => {
    const lines = [`FROM ${lab.busybox}`, 'COPY . /all', 'RUN find /all -type f | sort']
    const context = contextOf(lines, {
      '.dockerignore': 'secret\n*.md\n',
      secret: 's',
      'a.md': 'a',
      kept: 'k',
    })
    const messages = await collect(ours(context, {}))
    const output = messages.map(({ stream }) => stream ?? '').join('')
    assert.match(output, /\/all\/kept/)
    assert.doesNotMatch(output, /secret$|\.md$/m)
  })

  it('keeps images without a name, and those that lose it', async () => {
    await lab.clear()
    await lab.pull()
    const idOf = async (lines: readonly string[], values: Values) => {
      const messages = await collect(ours(contextOf(lines), values))
      return String(messages.find(({ aux }) => aux !== undefined)?.aux?.ID)
    }
    const from = `FROM ${lab.busybox}`
    const first = await idOf([from, 'ENV n=1'], { t: 'named' })
    const second = await idOf([from, 'ENV n=2'], { t: 'named' })
    const third = await idOf([from, 'ENV n=3'], {})
    const dangling = await lab.images.list({ filters: '{"dangling":["true"]}' }, 56)
    assert.deepEqual(new Set(dangling.map(({ Id }) => Id)), new Set([first, third]))
    assert.equal((await lab.images.find({ text: 'named' })).id, second)
    const { Metadata } = await lab.images.inspect({ text: 'named' }, 41)
    const { LastTagTime } = Metadata as { LastTagTime: string }
    assert.ok(Math.abs(Date.parse(LastTagTime) - Date.now()) < 60_000)
    const tags = lab
      .takeEvents()
      .flatMap(({ Action, Actor }) => (Action === 'tag' ? [Actor.Attributes.name] : []))
    assert.deepEqual(tags, ['named:latest', 'named:latest'])
  })

  it('limits its steps', async () => {
    const lines = [`FROM ${lab.busybox}`, 'RUN ulimit -n; cat /etc/hosts; df -k /dev/shm']
    const values = {
      ulimits: '[{"Name":"nofile","Soft":77,"Hard":99}]',
      extrahosts: ['elsewhere:10.1.2.3'],
      shmsize: String(8 << 20),
    }
    const output = (await collect(ours(contextOf(lines), values)))
      .map(({ stream }) => stream)
      .join('')
    assert.match(output, /^77$/m)
    assert.match(output, /^10\.1\.2\.3\s+elsewhere$/m)
    assert.match(output, /\b8192\b/)
  })

  it('does not wait for who reads slowly, and says what it leaves out', async () => {
    const most = 16 * 1024 * 1024
    const lines = [`FROM ${lab.busybox}`, 'RUN yes 0123456789 | head -c 40000000']
    const untilTagged = async (): Promise<void> => {
      await until(() => lab.takeEvents().some(({ Action }) => Action === 'tag'))
    }
    let [read, notices, last] = [0, 0, '']
    lab.takeEvents()
    for await (const { stream = '' } of ours(contextOf(lines), { nocache: '1', t: 'slow' })) {
      // Nothing more is read until the build has ended.
      if (read < 1000 && stream.startsWith('0123')) await untilTagged()
      if (stream.includes('clipped')) notices += 1
      read += stream.length
      last = stream
    }
    assert.ok(notices > 0)
    assert.ok(read > most / 2 && read < 2 * most, String(read))
    assert.equal(last, 'Successfully tagged slow:latest\n')
  })

  it('ends with its client, and when it is cancelled', async () => {
    const context = contextOf([`FROM ${lab.busybox}`, 'RUN echo begun; sleep 1000'])
    const stops: readonly ((gone: AbortController) => void)[] = [
      (gone) => gone.abort(),
      () => builds.cancel('this'),
    ]
    for (const stop of stops) {
      const gone = new AbortController()
      const messages: ProgressMessage[] = []
      const began = Date.now()
      for await (const message of ours(context, { buildid: 'this' }, gone.signal)) {
        messages.push(message)
        if (message.stream?.includes('begun\n')) await delay(10).then(() => stop(gone))
      }
      assert.equal(messages.at(-1)?.error, 'Build cancelled')
      assert.ok(Date.now() - began < 30_000)
    }
  })

  it('leaves a cache that can be looked at and pruned', async () => {
    await collect(ours(contextOf([`FROM ${lab.busybox}`, 'RUN echo cached > /c']), { q: '1' }))
    await lab.images.prune(undefined)
    await collect(ours(contextOf([`FROM ${lab.busybox}`, 'RUN echo cached > /c; exit 9']), {}))
    const usage = await buildCacheUsage(lab.images)
    assert.ok(usage.length > 0)
    assert.ok(
      usage.every(({ ID, Size, Type }) => ID !== '' && Number(Size) >= 0 && Type !== 'image'),
    )
    const none = await pruneBuildCache(
      lab.images,
      queryOf({ filters: '{"type":["source.git.checkout"]}' }),
      56,
    )
    assert.deepEqual(none, { CachesDeleted: null, SpaceReclaimed: 0 })
    const { CachesDeleted } = await pruneBuildCache(lab.images, queryOf({ all: '1' }), 56)
    assert.ok((CachesDeleted as string[]).length > 0)
    await lab.images.find({ text: lab.busybox })
    await assert.rejects(pruneBuildCache(lab.images, queryOf({ filters: '{"no":["x"]}' }), 56), {
      code: 'USAGE',
    })
  })
})
