/** Shell commands on a small set of names, so that they often meet; some of them fail. */
export function randomScript(random: () => number, length: number): string {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const name = () => pick(['a', 'b', 'c', 'é'])
  const path = () => [name(), name(), name()].slice(0, 1 + Math.floor(random() * 3)).join('/')
  const lines = Array.from({ length }, () => {
    const [one, two] = [path(), path()]
    return pick([
      `mkdir -p ${one}; chmod ${pick(['755', '1777', '700'])} ${one}`,
      `mkdir -p $(dirname ${one}); [ -p ${one} ] || echo ${random()} > ${one}`,
      `[ -p ${one} ] || echo ${random()} >> ${one}`,
      `rm -rf ${one}`,
      `rm -rf ${one} && mkdir -p ${one} && echo again > ${one}/${name()}`,
      `mv -T ${one} ${two}`,
      `ln ${one} ${two}`,
      `ln -sfn ${two} ${one}`,
      `chown -h 12:34 ${one}`,
      `chmod u+s ${one}`,
      `mkfifo ${one}`,
      `mknod ${one} c 1 3`,
      `touch -d @1000000000 ${one}`,
      `( : <> ${one} )`,
    ])
  })
  return lines.map((line) => `{ ${line}; } 2>/dev/null || true`).join('\n')
}

/** Reproducible, unlike Math.random. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
