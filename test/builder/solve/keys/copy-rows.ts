import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { setXattr } from '#builder/linux'
import type { Bench } from '../support.ts'
import { after, changes, given, type Row, stays } from './row.ts'

const put = (path: string, text: string) => (at: Bench) => at.put(path, text)
const rename = (from: string, to: string) => (at: Bench) => {
  rmSync(at.path(from), { recursive: true })
  at.put(to, 'a')
}
const link = (target: string) => (at: Bench) => {
  rmSync(at.path('d/link'), { force: true })
  symlinkSync(target, at.path('d/link'))
}
/** VFS_CAP_REVISION_2 with CAP_NET_RAW, permitted and effective. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex')

const COPY = 'COPY a /x'
const FOLDER = 'COPY d /x'

/** Files of the context; there are `a`, `d/a` and `d/sub/a`, which hold an `a`. */
export const CONTENT: readonly Row[] = [
  changes('the content', [COPY, after(put('a', 'b'), COPY)]),
  stays('a content that was there before', [COPY, after(put('a', 'a'), COPY)]),
  stays('the time of a file', [COPY, after((at) => utimesSync(at.path('a'), 1, 1), COPY)]),
  changes('the mode of a file', [COPY, after((at) => chmodSync(at.path('a'), 0o700), COPY)]),
  changes('a change of the umask', [COPY, after((at) => chmodSync(at.path('a'), 0o664), COPY)]),
  stays('the owner of a file', [COPY, after((at) => chownSync(at.path('a'), 1, 1), COPY)], {
    needsRoot: true,
  }),
  changes(
    'a capability',
    [
      after((at) => chmodSync(at.path('a'), 0o755), COPY),
      after((at) => setXattr(at.path('a'), 'security.capability', CAPABILITY), COPY),
    ],
    { needsRoot: true },
  ),
  stays(
    'another attribute',
    [COPY, after((at) => setXattr(at.path('a'), 'trusted.other', Buffer.from('1')), COPY)],
    { needsRoot: true, deviation: 'COPY takes no attributes but capabilities along' },
  ),
  changes('the name of a file', [COPY, after(rename('a', 'b'), 'COPY b /x')]),
  stays('the folder that a file lies in', ['COPY d/a /x/', 'COPY d/sub/a /x/']),
  stays('what is not copied', [COPY, after(put('other', '1'), COPY)]),
  changes('a file in a folder', [FOLDER, after(put('d/b', ''), FOLDER)]),
  changes('an empty folder in it', [FOLDER, after((at) => mkdirSync(at.path('d/e')), FOLDER)]),
  changes('the mode of a folder in it', [
    FOLDER,
    after((at) => chmodSync(at.path('d/sub'), 0o700), FOLDER),
  ]),
  stays(
    'the mode of the folder itself',
    [FOLDER, after((at) => chmodSync(at.path('d'), 0o700), FOLDER)],
    { deviation: 'only what is in it is copied' },
  ),
  stays('the time of a folder', [FOLDER, after((at) => utimesSync(at.path('d'), 1, 1), FOLDER)]),
  changes('the place of a file in it', [FOLDER, after(rename('d/sub/a', 'd/sub/b'), FOLDER)]),
  changes('where a link leads', [after(link('a'), FOLDER), after(link('b'), FOLDER)]),
  changes('a file instead of a link', [
    after(link('a'), FOLDER),
    after((at) => {
      rmSync(at.path('d/link'))
      at.put('d/link', 'a')
    }, FOLDER),
  ]),
]

/** What the text of COPY, ADD and WORKDIR says. */
export const WORDS: readonly Row[] = [
  changes('the destination', [COPY, 'COPY a /y']),
  stays('the same destination from where it is', [
    'WORKDIR /w\nCOPY a /w/x',
    'WORKDIR /w\nCOPY a x',
  ]),
  changes('the name of the copied folder', [
    'COPY d/sub /x',
    after(put('d/tub/a', 'a'), 'COPY d/tub /x'),
  ]),
  stays('the folder that it lies in', [
    after(put('d/one/f/a', 'a'), 'COPY d/one/f /x'),
    after(put('d/two/f/a', 'a'), 'COPY d/two/f /x'),
  ]),
  stays('one source written otherwise', ['COPY d/sub/a /x/', 'COPY ./d/../d/sub/a /x/']),
  changes('a pattern that matches the same', ['COPY d/* /x/', 'COPY d/** /x/']),
  changes('a name that a pattern matches', [
    'COPY d/su* /x/',
    after((at) => {
      rmSync(at.path('d/sub'), { recursive: true })
      at.put('d/suc', 'a')
    }, 'COPY d/su* /x/'),
  ]),
  changes('the way that --parents keeps', ['COPY --parents d/a /x/', 'COPY --parents d/sub/a /x/']),
  changes('--parents', ['COPY d/a /x/', 'COPY --parents d/a /x/']),
  changes('another source', ['COPY a /x/', 'COPY a d/sub /x/']),
  changes('the order of sources', ['COPY a d/sub /x/', 'COPY d/sub a /x/']),
  changes('--chown', [COPY, 'COPY --chown=1 a /x']),
  changes('its group', ['COPY --chown=1 a /x', 'COPY --chown=1:2 a /x']),
  changes('--chmod', [COPY, 'COPY --chmod=700 a /x']),
  changes('--exclude', [FOLDER, 'COPY --exclude=none d /x']),
  changes('ADD', [COPY, 'ADD a /x']),
  changes('ADD that unpacks nothing', ['ADD a /x', 'ADD --unpack=false a /x']),
  changes('the text of a heredoc', ['COPY <<E /x\n1\nE', 'COPY <<E /x\n2\nE']),
  changes('a variable in it', [
    ['ARG V=1', 'COPY <<E /x\n$V\nE'],
    ['ARG V=2', 'COPY <<E /x\n$V\nE'],
  ]),
  changes('the path of WORKDIR', ['WORKDIR /w', 'WORKDIR /v']),
  stays('the same path from where it is', ['WORKDIR /w/v', ['ENV V=v', 'WORKDIR /w/$V']]),
  changes('the user of WORKDIR', ['WORKDIR /w', ['USER 1', 'WORKDIR /w']]),
  changes('the time of WORKDIR', ['WORKDIR /w', given('WORKDIR /w', { sourceDateEpoch: 1000 })]),
  stays('the time of COPY', [COPY, given(COPY, { sourceDateEpoch: 1000 })]),
]

/** What stands above a COPY. */
export const BELOW: readonly Row[] = [
  changes('a step below', [
    ['RUN write p 1', COPY],
    ['RUN write p 2', COPY],
  ]),
  stays('a step below --link', [
    ['RUN write p 1', 'COPY --link a /x'],
    ['RUN write p 2', 'COPY --link a /x'],
  ]),
  changes('--link', [
    ['WORKDIR /w', COPY],
    ['WORKDIR /w', 'COPY --link a /x'],
  ]),
  stays('ENV', [COPY, ['ENV A=1', COPY]]),
  stays('an argument that is not used', [
    ['ARG A=1', COPY],
    ['ARG A=2', COPY],
  ]),
  changes('an argument that is used', [
    ['ARG A=1', 'COPY a /x$A'],
    ['ARG A=2', 'COPY a /x$A'],
  ]),
  stays('LABEL, USER and SHELL', [COPY, ['LABEL a=b', 'USER 1', 'SHELL ["/s"]', COPY]]),
  stays('the platform', [
    given(COPY, { platform: 'linux/amd64' }),
    given(COPY, { platform: 'linux/arm64' }),
  ]),
]

const fromStage = (stage: string, last: string) => ({
  dockerfile: ['FROM scratch AS s', stage, 'FROM scratch', last].join('\n'),
})

/** Files of a stage. */
export const STAGES: readonly Row[] = [
  stays('what has made the same files', [
    fromStage('RUN write out/x 1', 'COPY --from=s /out /o'),
    fromStage('RUN write out/x 1;write other 2', 'COPY --from=s /out /o'),
  ]),
  changes('files of a stage', [
    fromStage('RUN write out/x 1', 'COPY --from=s /out /o'),
    fromStage('RUN write out/x 2', 'COPY --from=s /out /o'),
  ]),
  changes('another file of one stage', [
    fromStage('RUN write p/x 1;write q/x 2', 'COPY --from=s /p/x /o'),
    fromStage('RUN write p/x 1;write q/x 2', 'COPY --from=s /q/x /o'),
  ]),
  stays('the same file elsewhere in one stage', [
    fromStage('RUN write p/x 1;write q/x 1', 'COPY --from=s /p/x /o'),
    fromStage('RUN write p/x 1;write q/x 1', 'COPY --from=s /q/x /o'),
  ]),
  changes('files that are mounted', [
    fromStage('RUN write out/x 1', 'RUN --mount=from=s,source=/out,target=/m write y 1'),
    fromStage('RUN write out/x 2', 'RUN --mount=from=s,source=/out,target=/m write y 1'),
  ]),
  stays('where mounted files lie', [
    fromStage('RUN write p/x 1', 'RUN --mount=from=s,source=/p,target=/m write y 1'),
    fromStage('RUN write q/x 1', 'RUN --mount=from=s,source=/q,target=/m write y 1'),
  ]),
  changes('that what is mounted can be written', [
    fromStage('RUN write p/x 1', 'RUN --mount=from=s,source=/p,target=/m write y 1'),
    fromStage('RUN write p/x 1', 'RUN --mount=from=s,source=/p,target=/m,rw write y 1'),
  ]),
  changes('what a cache begins as', [
    fromStage('RUN write p/x 1', 'RUN --mount=type=cache,from=s,target=/m write y 1'),
    fromStage('RUN write p/x 2', 'RUN --mount=type=cache,from=s,target=/m write y 1'),
  ]),
  changes('mounted files of the context', [
    'RUN --mount=source=d,target=/m write y 1',
    after(put('d/a', 'b'), 'RUN --mount=source=d,target=/m write y 1'),
  ]),
  stays('other files of the context, and times', [
    'RUN --mount=source=d,target=/m write y 1',
    after((at) => {
      at.put('other', '')
      utimesSync(at.path('d/a'), 1, 1)
    }, 'RUN --mount=source=d,target=/m write y 1'),
  ]),
]
