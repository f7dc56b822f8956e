import { join } from 'node:path'
import { writeContext } from './dockerfile.ts'

/** A Dockerfile of one kind, with the files of its context. */
interface Small {
  readonly lines: readonly string[]
  readonly files?: Readonly<Record<string, string>>
}

/** `salt` is in everything that is executed or copied, so that no result of another one fits. */
interface Seed {
  readonly base: string
  readonly salt: string
  /** From 1 to `SIZES`: how much of a kind there is. */
  readonly size: number
}

const SIZES = 3

const numbered = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index)

/** What small Dockerfiles do, each kind in its own way. */
const KINDS: Readonly<Record<string, (seed: Seed) => Small>> = {
  'a file in scratch': ({ salt, size }) => ({
    lines: ['FROM scratch', ...numbered(size).map((index) => `COPY file /file-${index}`)],
    files: { file: salt },
  }),
  'a folder in scratch': ({ salt, size }) => ({
    lines: ['FROM scratch', 'COPY tree /tree'],
    files: Object.fromEntries(numbered(size * 10).map((index) => [`tree/${index}`, salt + index])),
  }),
  'steps in a row': ({ base, salt, size }) => ({
    lines: [`FROM ${base}`, ...numbered(size).map((index) => `RUN echo ${salt} > /${index}`)],
  }),
  'one long step': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      `RUN ${numbered(size * 4)
        .map((index) => `echo ${salt} > /${index}`)
        .join(' && \\\n    ')}`,
    ],
  }),
  'settings only': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map((index) => `ENV KEY_${index}=${salt}`),
      `LABEL salt=${salt}`,
      'EXPOSE 80/tcp',
      'STOPSIGNAL SIGINT',
      'HEALTHCHECK --interval=5s CMD true',
      'ENTRYPOINT ["echo"]',
    ],
  }),
  'arguments and variables': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      `ARG NAME=${salt}`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
      'ENV DIRECTORY=/opt/${NAME:-none}',
      ...numbered(size).map((index) => `RUN mkdir -p "$DIRECTORY/${index}"`),
    ],
  }),
  'working directories': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map((index) => `WORKDIR ${index === 0 ? '/' : ''}${salt}-${index}`),
      'RUN pwd > where',
    ],
  }),
  'owners and modes': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map((index) => `COPY --chown=65534:65534 --chmod=0640 file /f${index}`),
      'RUN ls -ln / > /listing',
    ],
    files: { file: salt },
  }),
  'another user': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      `RUN mkdir -m 0777 /${salt}`,
      'USER nobody',
      ...numbered(size).map((index) => `RUN id > /${salt}/${index}`),
    ],
  }),
  'a stage that is copied from': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base} AS made`,
      ...numbered(size).map((index) => `RUN echo ${salt} > /made-${index}`),
      'FROM scratch',
      ...numbered(size).map((index) => `COPY --from=made /made-${index} /`),
    ],
  }),
  'stages side by side': ({ base, salt, size }) => ({
    lines: [
      ...numbered(size + 1).flatMap((index) => [
        `FROM ${base} AS s${index}`,
        `RUN echo ${salt} > /${index}`,
      ]),
      `FROM ${base}`,
      ...numbered(size + 1).map((index) => `COPY --from=s${index} /${index} /${index}`),
    ],
  }),
  'stages on top of each other': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base} AS s0`,
      ...numbered(size).flatMap((index) => [
        `RUN echo ${salt} > /${index}`,
        `FROM s${index} AS s${index + 1}`,
      ]),
      `CMD ["cat", "/0"]`,
    ],
  }),
  'a cache mount': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map(
        (index) => `RUN --mount=type=cache,target=/cache echo ${salt} > /cache/${index}`,
      ),
    ],
  }),
  'a mount of the context': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map(
        (index) => `RUN --mount=type=bind,source=file,target=/mnt/file cp /mnt/file /${index}`,
      ),
    ],
    files: { file: salt },
  }),
  'files removed and replaced': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      `RUN echo ${salt} > /etc/salt && ln -s salt /etc/link && mkdir -p /a/b/c`,
      ...numbered(size).map((index) => `RUN rm -rf /a && mkdir -p /a/${index}`),
      'RUN mv /etc/salt /etc/pepper',
    ],
  }),
  'another shell': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      'SHELL ["/bin/sh", "-eu", "-c"]',
      ...numbered(size).map((index) => `RUN n=${index}; echo ${salt} > "/file-$n"`),
    ],
  }),
  'programs without a shell': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map((index) => `RUN ["/bin/busybox", "touch", "/${salt}-${index}"]`),
      'CMD ["sh"]',
    ],
  }),
  'what is ignored': ({ base, salt, size }) => ({
    lines: [`FROM ${base}`, 'COPY . /all', 'RUN find /all -type f > /list'],
    files: {
      '.dockerignore': '*.log\nbuild\n',
      ...Object.fromEntries(
        numbered(size * 5).flatMap((index) => [
          [`source/${index}.txt`, salt],
          [`build/${index}.out`, salt],
          [`${index}.log`, salt],
        ]),
      ),
    },
  }),
  'an application': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      'WORKDIR /app',
      'COPY settings ./',
      'RUN sort settings > sorted',
      'COPY source ./source',
      'RUN cat source/* | md5sum > sum',
      'ENTRYPOINT ["cat", "/app/sum"]',
    ],
    files: {
      settings: `${salt}\nb\na\n`,
      ...Object.fromEntries(numbered(size * 8).map((index) => [`source/${index}.c`, salt])),
    },
  }),
  'added files': ({ base, salt, size }) => ({
    lines: [
      `FROM ${base}`,
      ...numbered(size).map((index) => `ADD file /added/${index}/`),
      'VOLUME /added',
    ],
    files: { file: salt },
  }),
}

/**
 * Writes small Dockerfiles of every kind in every size, with their contexts.
 * @param base what those are built on that are not built on scratch
 * @param round with another number they are others, so that every builder has to do them anew
 * @returns the folders
 */
export function writeSmallContexts(
  directory: string,
  { base, round }: { readonly base: string; readonly round: number },
): readonly string[] {
  return Object.values(KINDS).flatMap((kind, number) =>
    numbered(SIZES).map((index) => {
      const salt = `x${round}-${number}-${index}`
      const { lines, files } = kind({ base, salt, size: index + 1 })
      return writeContext(join(directory, `${round}-${number}-${index}`), lines, files)
    }),
  )
}
