import { changes, given, type Row, stays } from './row.ts'

const RUN = 'RUN write x 1'

/** What the text of a RUN says. */
export const TEXT: readonly Row[] = [
  changes('an argument', [RUN, 'RUN write x 2']),
  changes('white space in a command', [RUN, 'RUN write x  1']),
  changes('white space of a continuation', [RUN, 'RUN write x \\\n  1']),
  stays('a continuation without it', [RUN, 'RUN write x \\\n1']),
  stays('a comment in a continuation', ['RUN write x \\\n1', 'RUN write x \\\n# no text\n1']),
  stays('white space around a command', [RUN, 'RUN   write x 1  ']),
  stays('line ends', [
    ['LABEL a=b', RUN],
    ['LABEL a=b\r', `${RUN}\r`],
  ]),
  stays('blank lines and comments', [RUN, ['', '# a comment', '', RUN, '# another']]),
  stays('case of a keyword', [RUN, 'run write x 1']),
  stays('the exec form of what the shell form means', [RUN, 'RUN ["/bin/sh", "-c", "write x 1"]']),
  changes('the shell', [RUN, ['SHELL ["/bin/bash", "-c"]', RUN]]),
  changes('the text of a heredoc', ['RUN <<E\nwrite x 1\nE', 'RUN <<E\nwrite x 2\nE']),
  stays('the name of a heredoc', ['RUN <<E\nwrite x 1\nE', 'RUN <<F\nwrite x 1\nF']),
  stays('the name of the stage', [
    { dockerfile: `FROM scratch\n${RUN}` },
    { dockerfile: `FROM scratch AS named\n${RUN}` },
  ]),
]

/** What stands above a RUN. */
export const ABOVE: readonly Row[] = [
  changes('a step below', [
    ['RUN write a 1', RUN],
    ['RUN write a 2', RUN],
  ]),
  changes('a value of ENV', [
    ['ENV A=1', RUN],
    ['ENV A=2', RUN],
  ]),
  changes('the order of ENV', [
    ['ENV A=1 B=2', RUN],
    ['ENV B=2 A=1', RUN],
  ]),
  stays('ENV written otherwise', [
    ['ENV A=1', RUN],
    ['ENV A 1', RUN],
  ]),
  stays('an instruction behind it', [RUN, [RUN, 'ENV A=1', 'ARG B=1', 'LABEL c=d']]),
  changes('the working directory', [
    ['WORKDIR /w', RUN],
    ['WORKDIR /w', 'WORKDIR /', RUN],
  ]),
  changes('the user', [RUN, ['USER 1', RUN]]),
  stays('LABEL', [RUN, ['LABEL a=b', RUN]]),
  stays('EXPOSE', [RUN, ['EXPOSE 80', RUN]]),
  stays('CMD and ENTRYPOINT', [RUN, ['CMD ["c"]', 'ENTRYPOINT ["e"]', RUN]]),
  stays('VOLUME, STOPSIGNAL and HEALTHCHECK', [
    RUN,
    ['VOLUME /v', 'STOPSIGNAL 9', 'HEALTHCHECK NONE', RUN],
  ]),
  stays('MAINTAINER and ONBUILD', [RUN, ['MAINTAINER me', 'ONBUILD RUN later', RUN]]),
]

const A1 = { buildArgs: { A: '1' } }
const A2 = { buildArgs: { A: '2' } }

/** Build arguments. */
export const ARGUMENTS: readonly Row[] = [
  changes('a declared argument, used or not', [
    given(['ARG A', RUN], A1),
    given(['ARG A', RUN], A2),
  ]),
  changes('its default', [
    ['ARG A=1', RUN],
    ['ARG A=2', RUN],
  ]),
  stays('a default instead of the same value', [given(['ARG A', RUN], A1), ['ARG A=1', RUN]]),
  stays('an argument that is not declared', [given(RUN, A1), given(RUN, A2)]),
  stays('one that is declared later', [given([RUN, 'ARG A'], A1), given([RUN, 'ARG A'], A2)]),
  stays('a global one that the stage does not declare', [
    { dockerfile: `ARG A\nFROM scratch\n${RUN}`, request: A1 },
    { dockerfile: `ARG A\nFROM scratch\n${RUN}`, request: A2 },
  ]),
  changes('a global one that the stage declares', [
    { dockerfile: `ARG A\nFROM scratch\nARG A\n${RUN}`, request: A1 },
    { dockerfile: `ARG A\nFROM scratch\nARG A\n${RUN}`, request: A2 },
  ]),
  changes('TARGETARCH, once it is declared', [RUN, ['ARG TARGETARCH', RUN]]),
  stays('a proxy', [RUN, given(RUN, { buildArgs: { http_proxy: 'http://p' } })]),
  stays('a proxy that is declared', [
    given(['ARG HTTPS_PROXY', RUN], {}),
    given(['ARG HTTPS_PROXY', RUN], { buildArgs: { https_proxy: 'http://p' } }),
  ]),
  changes('the host name', [RUN, given(RUN, { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'h' } })]),
]

const hosts = (...extraHosts: readonly (readonly [string, string])[]) => {
  return given(RUN, { steps: { extraHosts } })
}
const nofile = (soft: number) => {
  return given(RUN, { steps: { ulimits: [{ name: 'nofile', soft, hard: 9 }] } })
}

/** What the process may do and where. */
export const SETTINGS: readonly Row[] = [
  changes('a ulimit', [RUN, nofile(5)]),
  changes('its value', [nofile(4), nofile(5)]),
  changes('a name of --add-host', [hosts(['a', '10.0.0.1']), hosts(['b', '10.0.0.1'])]),
  stays('an address of --add-host', [hosts(['a', '10.0.0.1']), hosts(['a', '10.0.0.2'])]),
  changes('the size of /dev/shm', [RUN, given(RUN, { steps: { shmSize: 1 << 20 } })]),
  changes('the parent of control groups', [RUN, given(RUN, { steps: { cgroupParent: '/c' } })]),
  stays('limits of memory and processors', [
    RUN,
    given(RUN, { steps: { resources: { memory: 1 << 30, cpuShares: 512 } } }),
  ]),
  stays('a right that is not used', [RUN, given(RUN, { steps: { allow: ['network.host'] } })]),
  changes('the network', [RUN, 'RUN --network=none write x 1']),
  stays('the network of the whole build', [
    'RUN --network=none write x 1',
    given(RUN, { network: 'none' }),
  ]),
  changes('the security', [
    RUN,
    given('RUN --security=insecure write x 1', { steps: { allow: ['security.insecure'] } }),
  ]),
  changes('the architecture', [
    given(RUN, { platform: 'linux/amd64' }),
    given(RUN, { platform: 'linux/arm64' }),
  ]),
  changes('the variant', [
    given(RUN, { platform: 'linux/arm/v6' }),
    given(RUN, { platform: 'linux/arm/v7' }),
  ]),
  stays(
    'the release of the system',
    [given(RUN, { platform: 'linux(1)/amd64' }), given(RUN, { platform: 'linux(2)/amd64' })],
    { deviation: 'it decides which base image is chosen, and nothing beyond that' },
  ),
  stays('the time of the build', [RUN, given(RUN, { sourceDateEpoch: 1000 })]),
]

const mounted = (fields: string): string => `RUN --mount=type=${fields} write x 1`
const secret = { secrets: { s: '1' } }

/** Mounts without files of a context or a stage. */
export const MOUNTS: readonly Row[] = [
  changes('a mount', [RUN, mounted('tmpfs,target=/m')]),
  changes('its type', [mounted('cache,target=/m'), mounted('tmpfs,target=/m')]),
  changes('its target', [mounted('cache,id=c,target=/m'), mounted('cache,id=c,target=/n')]),
  changes('a cache that is read-only', [mounted('cache,target=/m'), mounted('cache,target=/m,ro')]),
  stays('the id of a cache', [mounted('cache,id=a,target=/m'), mounted('cache,id=b,target=/m')]),
  stays('the namespace of caches', [
    mounted('cache,target=/m'),
    given(mounted('cache,target=/m'), { buildArgs: { BUILDKIT_CACHE_MOUNT_NS: 'n' } }),
  ]),
  stays('how a cache is shared', [
    mounted('cache,target=/m'),
    mounted('cache,target=/m,sharing=private'),
  ]),
  changes('the owner of a cache', [mounted('cache,target=/m'), mounted('cache,target=/m,uid=1')]),
  changes('the mode of a cache', [
    mounted('cache,target=/m'),
    mounted('cache,target=/m,mode=0700'),
  ]),
  changes('the size of a tmpfs', [
    mounted('tmpfs,target=/m,size=1m'),
    mounted('tmpfs,target=/m,size=2m'),
  ]),
  changes('the id of a secret', [
    mounted('secret,id=s,target=/m'),
    mounted('secret,id=t,target=/m'),
  ]),
  changes('the target of a secret', [
    mounted('secret,id=s,target=/m'),
    mounted('secret,id=s,target=/n'),
  ]),
  stays('its usual target', [mounted('secret,id=s'), mounted('secret,id=s,target=/run/secrets/s')]),
  changes('the variable of a secret', [mounted('secret,id=s,env=A'), mounted('secret,id=s,env=B')]),
  changes('the mode of a secret', [mounted('secret,id=s'), mounted('secret,id=s,mode=0440')]),
  changes('the owner of a secret', [mounted('secret,id=s'), mounted('secret,id=s,uid=1')]),
  changes('whether a secret has to be there', [
    mounted('secret,id=s'),
    given(mounted('secret,id=s,required=true'), secret),
  ]),
  stays('the value of a secret', [
    given(mounted('secret,id=s'), secret),
    given(mounted('secret,id=s'), { secrets: { s: '2' } }),
  ]),
  changes('the id of an agent', [mounted('ssh,id=a'), mounted('ssh,id=b')]),
  changes('the target of an agent', [mounted('ssh'), mounted('ssh,target=/m')]),
  stays('the place of the mounts in the text', [
    `RUN --mount=type=tmpfs,target=/a/b --mount=type=tmpfs,target=/a write x 1`,
    `RUN --mount=type=tmpfs,target=/a --mount=type=tmpfs,target=/a/b write x 1`,
  ]),
  changes(
    'the order of mounts side by side',
    [
      `RUN --mount=type=tmpfs,target=/a --mount=type=tmpfs,target=/b write x 1`,
      `RUN --mount=type=tmpfs,target=/b --mount=type=tmpfs,target=/a write x 1`,
    ],
    { deviation: 'the numbers of their sources follow the text, and keys of today stay' },
  ),
]
