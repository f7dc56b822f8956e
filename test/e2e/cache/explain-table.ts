import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../support/context.ts'

/** A build, a change, and what is said of the build after it. */
export interface ExplainedChange {
  readonly name: string
  readonly dockerfile: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  /** What is replaced in the Dockerfile. */
  readonly replace?: readonly (readonly [from: string, to: string])[]
  /** What is done in the context. */
  readonly change?: (context: string) => void
  /** Arguments of the first and of the second build. */
  readonly args?: readonly [readonly string[], readonly string[]]
  readonly explanation: readonly string[]
}

/** `BASE` stands for a base image, `CONTEXT` in arguments for the folder. */
const RUN_TWICE = ['FROM BASE', 'RUN echo one > /one', 'RUN echo two > /two']
const COPY_ALL = ['FROM BASE', 'WORKDIR /app', 'COPY . .']
const IGNORED = { '.dockerignore': 'Dockerfile\n.dockerignore\n' }

/** Every kind of change, each with the exact text. */
export const CHANGES: readonly ExplainedChange[] = [
  {
    name: 'a word of a command, and what is on top of it',
    dockerfile: [...RUN_TWICE, 'RUN echo three > /three'],
    replace: [['echo one', 'echo ONE']],
    explanation: [
      'why all 3 steps ran:',
      '',
      'line 2: [2/4] RUN echo ONE > /one',
      '  command changed "echo one > /one" -> "echo ONE > /one"',
      'line 3: [3/4] RUN echo two > /two',
      '  the step before it ran anew: line 2',
      'line 4: [4/4] RUN echo three > /three',
      '  the step before it ran anew: line 3 (first cause: line 2)',
    ],
  },
  {
    name: 'a long command, of which the part around the change is shown',
    dockerfile: ['FROM BASE', `RUN echo ${'aaaa '.repeat(20)}first ${'bbbb '.repeat(20)} > /one`],
    replace: [['first', 'second']],
    explanation: [
      'why all 1 step ran:',
      '',
      `line 2: [2/2] RUN echo ${'aaaa '.repeat(20)}second ${'bbbb '.repeat(20)} > /one`,
      '  command changed …"aaaa aaaa aaaa aaaa first bbbb bbbb bbbb bbbb"… -> …"aaaa aaaa aaaa aaaa second bbbb bbbb bbbb bbbb"…',
    ],
  },
  {
    name: 'a line of a heredoc',
    dockerfile: ['FROM BASE', 'RUN <<EOT', 'echo one > /one', 'echo two > /two', 'EOT'],
    replace: [['echo two', 'echo TWO']],
    explanation: [
      'why all 1 step ran:',
      '',
      'lines 2-5: [2/2] RUN <<EOT (echo one > /one...)',
      '  command changed in line 2: "echo two > /two" -> "echo TWO > /two"',
    ],
  },
  {
    name: 'an argument that was declared earlier, once for all steps that have it',
    dockerfile: ['FROM BASE', 'ARG VERSION', ...RUN_TWICE.slice(1)],
    args: [
      ['--build-arg', 'VERSION=1'],
      ['--build-arg', 'VERSION=2'],
    ],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 3: [2/3] RUN echo one > /one',
      '  build argument VERSION changed "1" -> "2"',
      'line 4: [3/3] RUN echo two > /two',
      '  the step before it ran anew: line 3',
    ],
  },
  {
    name: 'an environment variable',
    dockerfile: ['FROM BASE', 'ENV NODE_ENV=test', 'RUN echo one > /one'],
    replace: [['NODE_ENV=test', 'NODE_ENV=production']],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 3: [2/2] RUN echo one > /one',
      '  env NODE_ENV changed "test" -> "production"',
    ],
  },
  {
    name: 'variables that come, go, and change their order',
    dockerfile: ['FROM BASE', 'ENV A=1 B=2', 'RUN echo one > /one'],
    replace: [['A=1 B=2', 'B=2 C=3']],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 3: [2/2] RUN echo one > /one',
      '  env A removed "1"',
      '  env C added "3"',
    ],
  },
  {
    name: 'nothing but the order of variables',
    dockerfile: ['FROM BASE', 'ENV A=1 B=2', 'RUN echo one > /one'],
    replace: [['A=1 B=2', 'B=2 A=1']],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 3: [2/2] RUN echo one > /one',
      '  order of the environment changed',
    ],
  },
  {
    name: 'a variable that looks like a secret, without its value anywhere',
    dockerfile: ['FROM BASE', 'ARG NPM_TOKEN', 'RUN echo $NPM_TOKEN > /dev/null', 'RUN echo two'],
    args: [
      ['--build-arg', 'NPM_TOKEN=canary-of-the-first'],
      ['--build-arg', 'NPM_TOKEN=canary-of-the-second'],
    ],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 3: [2/3] RUN echo **** > /dev/null',
      '  build argument NPM_TOKEN changed (not shown: it looks like a secret)',
      'line 4: [3/3] RUN echo two',
      '  the step before it ran anew: line 3',
    ],
  },
  {
    name: 'user, folder, network and shell',
    dockerfile: ['FROM BASE', 'WORKDIR /tmp', 'USER root', 'RUN echo one'],
    replace: [
      ['USER root', 'USER nobody\nSHELL ["/bin/sh", "-e", "-c"]'],
      ['RUN echo', 'RUN --network=none echo'],
    ],
    explanation: [
      'why 1 of 2 steps ran:',
      '',
      'line 5: [3/3] RUN --network=none echo one',
      '  command changed "/bin/sh -c echo one" -> "/bin/sh -e -c echo one"',
      '  network changed "default" -> "none"',
      '  user changed "root" -> "nobody"',
    ],
  },
  {
    name: 'mounts that come, go and change',
    dockerfile: [
      'FROM BASE',
      'RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t echo one',
    ],
    replace: [
      ['type=cache,target=/c', 'type=cache,target=/c,readonly'],
      ['type=tmpfs,target=/t', 'type=secret,id=token'],
    ],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 2: [stage-0 2/2] RUN --mount=type=cache,target=/c,readonly --mount=type=secret,id=token echo one',
      '  readonly of the cache mount /c changed "false" -> "true"',
      '  tmpfs mount /t removed',
      '  secret mount /run/secrets/token added',
    ],
  },
  {
    name: 'files: content, mode, added, removed and renamed',
    dockerfile: COPY_ALL,
    files: { ...IGNORED, 'src/a.ts': '1', 'bin/run': 'x', old: 'gone', 'name/one': 'the same' },
    change: (context) => {
      writeFileSync(join(context, 'src/a.ts'), '2')
      chmodSync(join(context, 'bin/run'), 0o755)
      rmSync(join(context, 'old'))
      writeFileSync(join(context, 'src/new.ts'), 'new')
      renameSync(join(context, 'name/one'), join(context, 'name/two'))
    },
    explanation: [
      'why 1 of 2 steps ran:',
      '',
      'line 3: [3/3] COPY . .',
      '  5 files changed: bin/run (mode 0644 -> 0755), name/two (renamed from name/one), old (removed), src/a.ts (content), src/new.ts (added)',
    ],
  },
  {
    name: 'one folder of the context, a folder that comes, and a step on top',
    dockerfile: ['FROM BASE', 'COPY src /app/', 'RUN ls /app > /list'],
    files: { 'src/a': '1' },
    change: (context) => {
      const files = { 'src/deep/er/b': 'b', 'src/deep/c': 'c' }
      for (const [path, text] of Object.entries(files)) writeIn(context, path, text)
    },
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 2: [2/3] COPY src /app/',
      '  2 files changed: src/deep/c (added), src/deep/er/b (added)',
      'line 3: [3/3] RUN ls /app > /list',
      '  the step before it ran anew: line 2',
    ],
  },
  {
    name: 'a single file, and a file among others',
    dockerfile: ['FROM BASE', 'COPY one.txt /etc/', 'COPY two.txt three.txt /etc/'],
    files: { 'one.txt': '1', 'two.txt': '2', 'three.txt': '3' },
    change: (context) => {
      writeIn(context, 'one.txt', 'I')
      writeIn(context, 'two.txt', 'II')
    },
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 2: [2/3] COPY one.txt /etc/',
      '  1 file changed: one.txt (content)',
      'line 3: [3/3] COPY two.txt three.txt /etc/',
      '  1 file changed: /etc/two.txt (content)',
      '  the step before it ran anew: line 2',
    ],
  },
  {
    name: 'an owner and a mode that the step gives',
    dockerfile: ['FROM BASE', 'COPY --chown=1:1 a /a'],
    files: { a: 'a' },
    replace: [['--chown=1:1', '--chown=2:2 --chmod=600']],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 2: [2/2] COPY --chown=2:2 --chmod=600 a /a',
      '  mode added "600"',
      '  group of the owner changed "1" -> "2"',
      '  owner changed "1" -> "2"',
    ],
  },
  {
    name: 'the source, and the destination',
    dockerfile: ['FROM BASE', 'COPY a /x'],
    files: { a: 'a', b: 'b' },
    replace: [['COPY a /x', 'COPY b /y']],
    explanation: [
      'why all 1 step ran:',
      '',
      'line 2: [2/2] COPY b /y',
      '  destination changed "/x" -> "/y"',
      '  sources changed "a" -> "b"',
      '  2 files changed: /x (removed), b (added)',
    ],
  },
  {
    name: 'a heredoc that is copied, and one more',
    dockerfile: ['FROM scratch', 'COPY <<one /to/', 'text', 'one'],
    replace: [['<<one /to/\ntext\none', '<<one <<two /to/\nTEXT\none\ntwo']],
    explanation: [
      'why all 1 step ran:',
      '',
      'lines 2-5: [1/1] COPY <<one <<two /to/',
      '  heredoc changed in line 1: "text" -> "TEXT"',
      '  action added "write two"',
    ],
  },
  {
    name: 'a line of .dockerignore',
    dockerfile: COPY_ALL,
    files: { '.dockerignore': 'Dockerfile\n.dockerignore\n*.log\n', a: 'a', 'debug.log': 'log' },
    change: (context) => writeIn(context, '.dockerignore', 'Dockerfile\n.dockerignore\n'),
    explanation: [
      'why 1 of 2 steps ran:',
      '',
      'line 3: [3/3] COPY . .',
      '  1 file changed: debug.log (added)',
    ],
  },
  {
    name: 'hundreds of files, of which ten are named',
    dockerfile: COPY_ALL,
    files: { ...IGNORED, ...manyFiles('1') },
    change: (context) => {
      for (const [path, text] of Object.entries(manyFiles('2'))) writeIn(context, path, text)
    },
    explanation: [
      'why 1 of 2 steps ran:',
      '',
      'line 3: [3/3] COPY . .',
      `  600 files changed: ${Object.keys(manyFiles('1'))
        .slice(0, 10)
        .map((path) => `${path} (content)`)
        .join(', ')} and 590 more`,
    ],
  },
  {
    name: 'files of another stage, and why they were made anew',
    dockerfile: [
      'FROM BASE AS build',
      'RUN mkdir /out && echo one > /out/app && echo same > /out/same',
      'FROM scratch',
      'COPY --from=build /out /out',
    ],
    replace: [['echo one', 'echo ONE']],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 2: [build 2/2] RUN mkdir /out && echo ONE > /out/app && echo same > /out/same',
      '  command changed "mkdir /out && echo one > /out/app && echo same > /out/same" -> "mkdir /out && echo ONE > /out/app && echo same > /out/same"',
      'line 4: [stage-1 1/1] COPY --from=build /out /out',
      '  1 file changed, of line 2, which ran anew: out/app (content)',
    ],
  },
  {
    name: 'files of another stage, of which a lower step is the first cause',
    dockerfile: [
      'FROM BASE AS build',
      'RUN mkdir /out && echo one > /out/app',
      'RUN echo more > /more',
      'FROM scratch',
      'COPY --from=build /out/app /app',
    ],
    replace: [['echo one', 'echo ONE']],
    explanation: [
      'why all 3 steps ran:',
      '',
      'line 2: [build 2/3] RUN mkdir /out && echo ONE > /out/app',
      '  command changed "mkdir /out && echo one > /out/app" -> "mkdir /out && echo ONE > /out/app"',
      'line 3: [build 3/3] RUN echo more > /more',
      '  the step before it ran anew: line 2',
      'line 5: [stage-1 1/1] COPY --from=build /out/app /app',
      '  1 file changed, of line 3, which ran anew (first cause: line 2): out/app (content)',
    ],
  },
  {
    name: 'files of a folder that is the base',
    dockerfile: ['FROM other', 'COPY a /a'],
    files: { a: 'a', 'other/b': '1', 'other/sub/c': '1' },
    args: [
      ['--build-context', 'other=CONTEXT/other'],
      ['--build-context', 'other=CONTEXT/other'],
    ],
    change: (context) => writeIn(context, 'other/sub/c', '2'),
    explanation: [
      'why all 1 step ran:',
      '',
      'line 2: [1/1] COPY a /a',
      '  base: 1 file changed: sub/c (content)',
    ],
  },
  {
    name: 'files that a mount of the context shows',
    dockerfile: ['FROM BASE', 'RUN --mount=target=/src,source=src cat /src/a > /a'],
    files: { 'src/a': '1', 'src/b': '1' },
    change: (context) => writeIn(context, 'src/a', '2'),
    explanation: [
      'why all 1 step ran:',
      '',
      'line 2: [stage-0 2/2] RUN --mount=target=/src,source=src cat /src/a > /a',
      '  mount /src: 1 file changed: src/a (content)',
    ],
  },
  {
    name: 'files that a mount of a stage shows',
    dockerfile: [
      'FROM BASE AS one',
      'RUN echo 1 > /x',
      'FROM BASE',
      'RUN --mount=from=one,target=/one cat /one/x > /x',
    ],
    replace: [['echo 1', 'echo 2']],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 2: [one 2/2] RUN echo 2 > /x',
      '  command changed "echo 1 > /x" -> "echo 2 > /x"',
      'line 4: [stage-1 2/2] RUN --mount=from=one,target=/one cat /one/x > /x',
      '  mount /one: files changed, of line 2, which ran anew (a step made them)',
    ],
  },
  {
    name: 'several causes at once',
    dockerfile: ['FROM BASE', 'ARG A=1', 'RUN echo one > /one', 'COPY a /a', 'RUN cat /a > /two'],
    files: { a: '1' },
    replace: [
      ['A=1', 'A=2'],
      ['cat /a', 'cat /a /one'],
    ],
    change: (context) => writeIn(context, 'a', '2'),
    explanation: [
      'why all 3 steps ran:',
      '',
      'line 3: [2/4] RUN echo one > /one',
      '  build argument A changed "1" -> "2"',
      'line 4: [3/4] COPY a /a',
      '  1 file changed: a (content)',
      '  the step before it ran anew: line 3',
      'line 5: [4/4] RUN cat /a /one > /two',
      '  command changed "cat /a > /two" -> "cat /a /one > /two"',
      '  the step before it ran anew: line 4 (first cause: line 3)',
    ],
  },
  {
    name: 'a new step between two',
    dockerfile: RUN_TWICE,
    replace: [['RUN echo two', 'RUN echo between > /between\nRUN echo two']],
    explanation: [
      'why 2 of 3 steps ran:',
      '',
      'line 3: [3/4] RUN echo between > /between',
      '  it is new: no known earlier build had a step like it',
      'line 4: [4/4] RUN echo two > /two',
      '  the step before it ran anew: line 3',
    ],
  },
  {
    name: 'a step that is gone, and leaves another one below',
    dockerfile: [...RUN_TWICE, 'RUN echo three > /three'],
    replace: [['RUN echo two > /two\n', '']],
    explanation: [
      'why 1 of 2 steps ran:',
      '',
      'line 3: [3/3] RUN echo three > /three',
      '  the step before it is another one, which the cache had: line 2',
    ],
  },
  {
    name: 'what a linked copy lies on, which is the same on everything',
    dockerfile: ['FROM BASE', 'RUN echo one > /one', 'COPY --link a /a', 'RUN echo two > /two'],
    files: { a: 'a' },
    replace: [['echo one', 'echo ONE']],
    explanation: [
      'why 2 of 3 steps ran:',
      '',
      'line 2: [2/4] RUN echo ONE > /one',
      '  command changed "echo one > /one" -> "echo ONE > /one"',
      'line 4: [4/4] RUN echo two > /two',
      '  the step before it ran anew: line 2',
    ],
  },
  {
    name: 'nothing, but --no-cache',
    dockerfile: RUN_TWICE,
    args: [[], ['--no-cache']],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 2: [2/3] RUN echo one > /one',
      '  its result was not looked up, as was asked for: --no-cache or --no-cache-filter',
      'line 3: [3/3] RUN echo two > /two',
      '  its result was not looked up, as was asked for: --no-cache or --no-cache-filter',
    ],
  },
  {
    name: 'nothing, but a comment, and what is on top of the step',
    dockerfile: ['FROM BASE', '# cache=never', ...RUN_TWICE.slice(1)],
    explanation: [
      'why all 2 steps ran:',
      '',
      'line 3: [2/3] RUN echo one > /one',
      '  the comment above it asks for that: # cache=never',
      'line 4: [3/3] RUN echo two > /two',
      '  what it is done on or with was executed, and its own result is older',
      '  the step before it ran anew: line 3',
    ],
  },
  {
    name: 'nothing at all',
    dockerfile: RUN_TWICE,
    explanation: ['no step ran: the cache had all 2 steps'],
  },
]

function manyFiles(text: string): Record<string, string> {
  const names = Array.from({ length: 600 }, (_, index) => `many/${1000 + index}`)
  return Object.fromEntries(names.map((name) => [name, text]))
}

function writeIn(context: string, path: string, text: string): void {
  writeContext(context, { [path]: text })
}
