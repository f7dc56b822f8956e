import fc from 'fast-check'

const NAMES = ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/a', 'f', 'f/a'] as const
const FOLDERS = ['d', 'f', 'd/e', 'g'] as const
const path = fc.constantFrom(...NAMES, ...FOLDERS)
const folder = fc.constantFrom(...FOLDERS)
const text = fc.constantFrom('1', '22', '333')
const seconds = fc.constantFrom('1000000', '2000000')

/** One command; whether it succeeds depends on those before it. */
const command = fc.oneof(
  fc.tuple(text, path).map(([what, to]) => `[ -d ${to} ] || [ -p ${to} ] || echo ${what} > ${to}`),
  fc.tuple(text, path).map(([what, to]) => `[ -f ${to} ] && echo ${what} >> ${to}`),
  folder.map((name) => `mkdir -p ${name}`),
  path.map((name) => `rm -rf ${name}`),
  folder.map((name) => `rm -rf ${name}; mkdir -p ${name}`),
  fc
    .tuple(path, fc.constantFrom('600', '755', '4711'))
    .map(([name, mode]) => `chmod ${mode} ${name}`),
  fc.tuple(path, fc.constantFrom('0:0', '5:6')).map(([name, owner]) => `chown ${owner} ${name}`),
  fc.tuple(path, seconds).map(([name, time]) => `touch -c -d @${time} ${name}`),
  fc.tuple(path, path).map(([from, to]) => `[ -f ${from} ] && mv ${from} ${to}`),
  fc.tuple(folder, folder).map(([from, to]) => `[ ! -e ${to} ] && mv ${from} ${to}`),
  fc.tuple(path, path).map(([to, from]) => `[ -e ${from} ] || ln -s ${to} ${from}`),
  path.map((name) => `[ -e ${name} ] || mkfifo ${name}`),
  path.map((name) => `[ -f ${name} ] && : >> ${name}`),
)

/** Steps that do random things to a few names, so that they often meet: scripts for busybox's shell. */
export const RANDOM_STEPS: fc.Arbitrary<readonly string[]> = fc.array(
  fc.array(command, { minLength: 1, maxLength: 12, size: 'max' }).map((commands) => {
    const lines = commands.map((one) => `{ ${one}; } 2>/dev/null`)
    return ['mkdir -p /r; cd /r', ...lines, 'true'].join('\n')
  }),
  { minLength: 2, maxLength: 4, size: 'max' },
)
