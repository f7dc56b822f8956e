import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { BuildExplanation, StepExplanation } from '#builder/explain'
import {
  busyboxBase,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, type Start, tsbuild } from '../support/tsbuild.ts'
import { CHANGES, type ExplainedChange } from './explain-table.ts'

describe('why steps ran', () => {
  let directory: TemporaryDirectory
  let base: string
  let at: Place
  let places = 0
  before(async () => {
    directory = temporaryDirectory('explain')
    base = await busyboxBase()
  })
  after(() => directory?.[Symbol.dispose]())
  beforeEach(() => {
    at = new Place(directory.file(String(places++)), base)
  })

  for (const change of CHANGES) {
    it(`is said of ${change.name}`, async () => {
      at.write(change.dockerfile, change.files)
      const [first = [], second = []] = (change.args ?? []).map((args) =>
        args.map((arg) => arg.replace('CONTEXT', at.context)),
      )
      await mustBuild([...first, at.context], at.start)
      at.apply(change)
      assert.deepEqual(await at.explain(...second), change.explanation)
    })
  }

  it('is said of a first build in one line', async () => {
    at.write(['FROM BASE', 'RUN echo one', 'RUN echo two'])
    assert.deepEqual(await at.explain(), [
      'why all 2 steps ran: no known earlier build had steps like these',
    ])
  })

  it('is said of another base image, by its name and digest', async () => {
    at.write(['FROM BASE', 'RUN echo more > /more'])
    const layout = join(at.folder, 'other')
    await mustBuild(['-o', `type=oci,tar=false,dest=${layout}`, at.context], at.start)
    at.apply({ replace: [[base, layout]] })
    const [head, , place, said = ''] = await at.explain()
    assert.deepEqual([head, place], ['why all 1 step ran:', 'line 2: [2/2] RUN echo more > /more'])
    const named = (path: string): string => `oci-layout://${path}@sha256:[0-9a-f]{12}`
    assert.match(said, new RegExp(`^ {2}base changed ${named(base)} -> ${named(layout)}$`))
  })

  it('is said of a copy of the folder elsewhere, which was never built', async () => {
    const files = { a: '1' }
    at.write(['FROM BASE', 'COPY a /a', 'RUN cat /a'], files)
    await mustBuild([at.context], at.start)
    const copy = at.elsewhere()
    copy.write(['FROM BASE', 'COPY a /a', 'RUN cat /a'], { a: '2' })
    assert.deepEqual(await copy.explain(), [
      'why all 2 steps ran:',
      '',
      'line 2: [2/3] COPY a /a',
      '  1 file changed: a (content)',
      'line 3: [3/3] RUN cat /a',
      '  the step before it ran anew: line 2',
    ])
  })

  it('names the nearest of several earlier builds', async () => {
    const write = (word: string, value: string): void =>
      at.write(['FROM BASE', `ENV A=${value}`, `RUN echo ${word} > /one`])
    for (const [word, value] of [
      ['one', '1'],
      ['two', '2'],
    ] as const) {
      write(word, value)
      await mustBuild([at.context], at.start)
    }
    write('one', '3')
    const [step] = (await at.explainJson()).steps
    assert.deepEqual(step?.differences, [
      { what: 'environment', name: 'A', change: 'changed', from: '1', to: '3' },
    ])
  })

  it('is said of a stage that no build in between has needed', async () => {
    const write = (first: string, last: string): void =>
      at.write([
        'FROM BASE AS build',
        `RUN echo ${first} > /one`,
        'FROM BASE',
        'COPY --from=build /one /one',
        `RUN echo ${last}`,
      ])
    for (const last of ['1', '2', '3', '4', '5', '6']) {
      write('one', last)
      await mustBuild([at.context], at.start)
    }
    write('ONE', '6')
    const [, , place, said] = await at.explain()
    assert.deepEqual(
      [place, said],
      [
        'line 2: [build 2/2] RUN echo ONE > /one',
        '  command changed "echo one > /one" -> "echo ONE > /one"',
      ],
    )
  })

  it('is written to a file, with every field, and printed as a line beside raw events', async () => {
    at.write(['FROM BASE', 'ARG A=1', 'RUN echo one > /one', 'RUN echo two'])
    await mustBuild([at.context], at.start)
    at.apply({ replace: [['A=1', 'A=2']] })
    const file = join(at.folder, 'why.json')
    const args = ['--progress', 'rawjson', '--explain', '--explain-file', file, at.context]
    const { stderr } = await mustBuild(args, at.start)
    const explanation = JSON.parse(readFileSync(file, 'utf8')) as BuildExplanation
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { tsbuild: object })
    assert.deepEqual(lines.at(-1)?.tsbuild, { type: 'explanation', explanation })
    const { steps, time, ...whole } = explanation
    const dockerfile = join(at.context, 'Dockerfile')
    assert.deepEqual(whole, {
      version: 1,
      context: at.context,
      dockerfile,
      total: 2,
      ran: 2,
      cached: 0,
    })
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000)
    const [first, second] = steps
    assert.ok(first !== undefined && second !== undefined)
    const platform = first.platform
    assert.match(platform, /^linux\//)
    const common = { stage: '0', platform, outcome: 'done', reason: 'no-record' }
    const argument = { what: 'argument', name: 'A', change: 'changed', from: '1', to: '2' }
    const name = '[2/3] RUN echo one > /one'
    assert.deepEqual(withoutKeys(first), {
      ...{ name, line: 3, end: 3, ...common },
      earlier: { name },
      differences: [argument],
    })
    assert.deepEqual(withoutKeys(second), {
      ...{ name: '[3/3] RUN echo two', line: 4, end: 4, ...common },
      earlier: { name: '[3/3] RUN echo two' },
      differences: [
        { ...argument, repeated: true },
        { what: 'below', change: 'changed', step: { name, line: 3, ran: true } },
      ],
      firstCause: { name, line: 3 },
    })
  })

  it('is said of a step that failed, and of the one that is tried again', async () => {
    at.write(['FROM BASE', 'RUN echo one > /one', 'RUN test -e /late && echo never'])
    const file = join(at.folder, 'why.json')
    const failed = await tsbuild(['--explain', '--explain-file', file, at.context], at.start)
    assert.equal(failed.status, 1)
    assert.match(
      failed.stderr,
      /\nwhy all 2 steps ran: no known earlier build had steps like these\n/,
    )
    const { steps } = JSON.parse(readFileSync(file, 'utf8')) as BuildExplanation
    assert.deepEqual(
      steps.map(({ outcome, key }) => [outcome, typeof key]),
      [
        ['done', 'string'],
        ['failed', 'undefined'],
      ],
    )
    const again = await tsbuild(['--progress', 'quiet', '--explain', at.context], at.start)
    assert.match(
      again.stderr,
      /\nwhy 1 of 2 steps ran:\n\nline 3: .*\n {2}it failed in the build before, and left no result\n/,
    )
    at.apply({ replace: [['test -e /late &&', 'touch /late;']] })
    assert.deepEqual(await at.explain(), [
      'why 1 of 2 steps ran:',
      '',
      'line 3: [3/3] RUN touch /late; echo never',
      '  it failed in the build before, and left no result',
      '  command changed "test -e /late && echo never" -> "touch /late; echo never"',
    ])
  })

  it('is not said of a build that had no plan', async () => {
    at.write(['FROM oci-layout:///nowhere', 'RUN echo one'])
    const file = join(at.folder, 'why.json')
    writeFileSync(file, 'of an earlier build')
    const failed = await tsbuild(['--explain', '--explain-file', file, at.context], at.start)
    assert.equal(failed.status, 1)
    assert.doesNotMatch(failed.stderr, /why|no step/)
    assert.equal(existsSync(file), false)
  })

  it('says so when the earlier result, or only its files, are gone', async () => {
    at.write(['FROM BASE', 'COPY a /a', 'RUN cat /a'], { a: '1' })
    await mustBuild([at.context], at.start)
    for (const folder of ['layers', 'blobs/sha256']) {
      const path = join(at.start.root, folder)
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true })
    }
    const gone =
      'nothing differs, but its earlier result is not in the store any more, or cannot be used'
    const lines = await at.explain()
    assert.deepEqual(
      lines.filter((line) => line.startsWith(' ')),
      [`  ${gone}`, `  ${gone}`],
    )
    const [layer = ''] = at.layersOf('COPY a /a')
    at.apply({ change: (context) => writeFileSync(join(context, 'a'), '2') })
    for (const folder of ['layers', 'blobs/sha256']) {
      rmSync(join(at.start.root, folder, layer), { recursive: true, force: true })
    }
    assert.equal(
      (await at.explain())[3],
      '  files changed (the earlier layer is not in the store any more)',
    )
  })

  it('is not asked for by an ordinary build, and costs one row', async () => {
    at.write(['FROM BASE', 'RUN echo one'])
    await mustBuild([at.context], at.start)
    assert.equal(at.traces(), 1)
    await mustBuild([at.context], at.start)
    assert.equal(at.traces(), 1)
    for (let count = 0; count < 5; count++) await mustBuild(['--no-cache', at.context], at.start)
    assert.equal(at.traces(), 4)
  })

  describe('later, by tsbuild cache why', () => {
    const TWO_STAGES = [
      'FROM BASE AS build',
      'ARG A=1',
      'RUN echo one > /one',
      'RUN --mount=type=cache,target=/c \\',
      '  cp /one /two',
      'FROM BASE',
      'COPY --from=build /two /two',
      'RUN echo last',
    ]
    let built: Place
    const why = async (...words: readonly string[]): Promise<string> =>
      (await mustBuild(['cache', 'why', ...words], { ...built.start, cwd: built.context })).stdout

    before(async () => {
      built = new Place(directory.file('later'), base)
      built.write(TWO_STAGES)
      await mustBuild([built.context], built.start)
      built.apply({ replace: [['A=1', 'A=2']] })
      await mustBuild([built.context], built.start)
    })

    it('is said of all steps that ran', async () => {
      assert.equal(
        await why(),
        [
          'why 2 of 4 steps ran:',
          '',
          'line 3: [build 2/3] RUN echo one > /one',
          '  build argument A changed "1" -> "2"',
          'lines 4-5: [build 3/3] RUN --mount=type=cache,target=/c   cp /one /two',
          '  the step before it ran anew: line 3',
          '',
        ].join('\n'),
      )
    })

    it('is said of a step by whatever people have of it', async () => {
      const steps: Readonly<Record<string, string>> = {
        'RUN echo one > /one': 'line 3',
        'run echo one': 'line 3',
        'cp /one': 'lines 4-5',
        'Dockerfile:5': 'lines 4-5',
        ':8': 'line 8',
        '8': 'line 8',
        '[build 3/3]': 'lines 4-5',
        'build 2/3': 'line 3',
        '[build 2/3] RUN echo one > /one': 'line 3',
        'build:RUN echo one': 'line 3',
        'build:cp': 'lines 4-5',
        'stage-1 2/3': 'line 7',
      }
      for (const [text, place] of Object.entries(steps)) {
        const said = await why('--', text)
        assert.equal(said.split(':')[0], place, text)
      }
    })

    it('is said of several words without quotes, and of several steps at once', async () => {
      assert.match(
        await why('RUN', 'echo', 'last'),
        /^line 8: .*\n {2}it did not run: its result was found, made 20.*\n$/,
      )
      const places = (await why('RUN echo')).match(/^lines? .*?:/gm)
      assert.deepEqual(places, ['line 3:', 'line 8:'])
    })

    it('is the document of --explain-file', async () => {
      const { steps, ran } = JSON.parse(await why('--format', 'json')) as BuildExplanation
      assert.deepEqual([ran, steps.map(({ line }) => line)], [2, [3, 4]])
      const one = JSON.parse(await why('--format', 'json', ':7')) as BuildExplanation
      assert.deepEqual(
        one.steps.map(({ line, outcome, reason }) => [line, outcome, reason]),
        [[7, 'cached', undefined]],
      )
    })

    it('tells what there is when there is no such step, and no such build', async () => {
      const asked = { ...built.start, cwd: built.context }
      const unknown = await tsbuild(['cache', 'why', 'RUN echo lst'], asked)
      assert.equal(unknown.status, 1)
      assert.match(unknown.stderr, /the build had no step "RUN echo lst"/)
      assert.match(unknown.stderr, /did you mean RUN echo last\?/)
      const screen = await tsbuild(['cache', 'why', '#7'], asked)
      assert.match(screen.stderr, /numbers after # are those of one screen/)
      const elsewhere = await tsbuild(['cache', 'why', '--context', '/nowhere'], asked)
      assert.equal(elsewhere.status, 1)
      assert.match(elsewhere.stderr, /no build of \/nowhere is remembered/)
      assert.match((await tsbuild(['cache'], asked)).stderr, /usage: tsbuild cache why/)
    })

    it('is about the current folder, else about the last build of all', async () => {
      const other = built.elsewhere()
      other.write(['FROM BASE', 'RUN echo other'])
      await mustBuild([other.context], built.start)
      assert.match(await why(), /echo one/)
      const asked = ['cache', 'why', '--context', other.context]
      assert.match(
        (await mustBuild(asked, { ...built.start, cwd: built.context })).stdout,
        /why all 1 step/,
      )
      assert.match(
        (await mustBuild(['cache', 'why'], { ...built.start, cwd: '/' })).stdout,
        /why all 1 step/,
      )
    })
  })
})

/** A context and a store. */
class Place {
  readonly folder: string
  readonly start: Start
  readonly #base: string

  constructor(folder: string, base: string, root = join(folder, 'store')) {
    this.folder = folder
    this.start = { root }
    this.#base = base
  }

  get context(): string {
    return join(this.folder, 'context')
  }

  /** A context elsewhere, for the same store. */
  elsewhere(): Place {
    return new Place(join(this.folder, 'elsewhere'), this.#base, this.start.root)
  }

  write(dockerfile: readonly string[], files: Readonly<Record<string, string>> = {}): void {
    const text = `${dockerfile.join('\n')}\n`.replaceAll('BASE', `oci-layout://${this.#base}`)
    writeContext(this.context, { Dockerfile: text, ...files })
  }

  apply({ replace = [], change }: Pick<ExplainedChange, 'replace' | 'change'>): void {
    const path = join(this.context, 'Dockerfile')
    const before = readFileSync(path, 'utf8')
    const after = replace.reduce((text, [from, to]) => text.replace(from, to), before)
    assert.equal(after === before, replace.length === 0)
    writeFileSync(path, after)
    change?.(this.context)
  }

  /** What a build says, line by line. */
  async explain(...args: readonly string[]): Promise<readonly string[]> {
    const { stderr } = await mustBuild(
      ['--progress', 'quiet', '--explain', ...args, this.context],
      this.start,
    )
    return stderr.trim().split('\n')
  }

  /** Rows with what builds did. */
  traces(): number {
    return Number(this.#query('SELECT count(*) AS value FROM traces')[0])
  }

  /** The layers of the steps with a text in their names. */
  layersOf(text: string): readonly string[] {
    const sql = 'SELECT layer AS value FROM records WHERE description LIKE ? ORDER BY created DESC'
    return this.#query(sql, `%${text}`).map(String)
  }

  #query(sql: string, ...values: readonly string[]): readonly unknown[] {
    const database = new DatabaseSync(join(this.start.root, 'tsbuild.db'))
    try {
      return database
        .prepare(sql)
        .all(...values)
        .map(({ value }) => value)
    } finally {
      database.close()
    }
  }

  async explainJson(): Promise<BuildExplanation> {
    const file = join(this.folder, 'explanation.json')
    await mustBuild(['--explain-file', file, this.context], this.start)
    assert.ok(existsSync(file))
    return JSON.parse(readFileSync(file, 'utf8')) as BuildExplanation
  }
}

/** Keys and times differ from build to build. */
function withoutKeys({ key, earlier, ...step }: StepExplanation): object {
  assert.match(key ?? '', /^[0-9a-f]{64}$/)
  const { key: before = '', time = '', ...named } = earlier ?? {}
  assert.match(before, /^[0-9a-f]{64}$/)
  assert.ok(Date.parse(time) > 0 && before !== key)
  return { ...step, earlier: named }
}
