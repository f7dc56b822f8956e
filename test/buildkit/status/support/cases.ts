import type { BuildOptions } from '#builder'

/** A build that BuildKit and tsbuild are both asked for, twice. */
export interface StatusCase {
  readonly name: string
  readonly dockerfile: readonly string[]
  /** Of the context. */
  readonly files?: Readonly<Record<string, string>>
  readonly options?: Pick<BuildOptions, 'tags' | 'outputs' | 'platform' | 'target'>
  /** Of `buildctl build`, which ask for the same. */
  readonly args: readonly string[]
  /** Steps are executed side by side, in any order, and one of two platforms stands for both. */
  readonly isParallel?: boolean
}

const IMAGE = ['--output', 'type=image,name=app']

/** @param host of a registry with the image `busybox` @param folder for what is written */
export function statusCases(host: string, folder: string): readonly StatusCase[] {
  const from = `FROM ${host}/busybox`
  const pushed = `${host}/pushed:1`
  return [
    {
      name: 'steps',
      dockerfile: [from, 'COPY f /f', 'RUN echo "a  b" && \\', '  echo c >&2', 'WORKDIR /w'],
      files: { f: 'text' },
      args: IMAGE,
    },
    {
      name: 'stages',
      dockerfile: [
        ...[`${from} AS a`, 'RUN echo 1 > /x', 'FROM scratch AS unused', 'COPY f /', from],
        ...['COPY --from=a /x /y', 'RUN ["cat", "/y"]', 'ENV A=/z', 'RUN touch $A', 'COPY f $A'],
      ],
      files: { f: 'text' },
      options: { tags: [pushed], outputs: [{ type: 'registry' }] },
      args: ['--output', `type=image,name=${pushed},push=true`],
    },
    {
      name: 'named-stage',
      dockerfile: [`${from} AS only`, 'RUN echo only', 'RUN <<EOF', 'echo one', 'echo two', 'EOF'],
      args: IMAGE,
    },
    {
      name: 'mount',
      dockerfile: [from, 'RUN --mount=type=tmpfs,target=/t <<EOF', 'echo three', 'EOF'],
      args: IMAGE,
    },
    {
      name: 'copy-from-image',
      dockerfile: ['FROM scratch AS only', `COPY --from=${host}/busybox /etc/passwd /`],
      args: IMAGE,
    },
    {
      name: 'add',
      dockerfile: [from, `ADD http://${host}/v2/ /x`, 'RUN cat /x'],
      args: IMAGE,
    },
    {
      name: 'failing-run',
      dockerfile: [from, 'RUN echo before; exit 3', 'RUN after'],
      args: IMAGE,
    },
    {
      name: 'stopped-run',
      dockerfile: [
        ...[`${from} AS a`, 'RUN sleep 60', from, 'RUN sleep 1; exit 3'],
        'COPY --from=a /bin/sh /x',
      ],
      args: IMAGE,
      isParallel: true,
    },
    { name: 'mistake', dockerfile: [from, 'FOO bar'], args: IMAGE },
    {
      name: 'no-target',
      dockerfile: [from],
      options: { target: 'x' },
      args: ['--opt', 'target=x'],
    },
    { name: 'no-base', dockerfile: [`FROM ${host}/missing:1`, 'RUN true'], args: IMAGE },
    {
      name: 'warnings',
      dockerfile: [`from ${host}/busybox AS Foo`, 'FROM foo', 'ENV \\', '  a b', 'RUN true'],
      args: IMAGE,
    },
    {
      name: 'oci',
      dockerfile: ['FROM scratch', 'COPY f /f'],
      files: { f: 'text' },
      options: { outputs: [{ type: 'oci', dest: `${folder}/oci.tar` }] },
      args: ['--output', `type=oci,dest=${folder}/oci.tar`],
    },
    {
      name: 'docker',
      dockerfile: ['FROM scratch', 'COPY f /g'],
      files: { f: 'text' },
      options: { tags: ['a:b'], outputs: [{ type: 'docker', dest: `${folder}/docker.tar` }] },
      args: ['--output', `type=docker,name=a:b,dest=${folder}/docker.tar`],
    },
    {
      name: 'local',
      dockerfile: ['FROM scratch', 'COPY f /h'],
      files: { f: 'text' },
      options: { outputs: [{ type: 'local', dest: `${folder}/local` }] },
      args: ['--output', `type=local,dest=${folder}/local`],
    },
    {
      name: 'tar',
      dockerfile: ['FROM scratch', 'COPY f /i'],
      files: { f: 'text' },
      options: { outputs: [{ type: 'tar', dest: `${folder}/files.tar` }] },
      args: ['--output', `type=tar,dest=${folder}/files.tar`],
    },
    {
      name: 'platforms',
      dockerfile: ['FROM scratch', 'ARG TARGETARCH', 'COPY $TARGETARCH /f'],
      files: { amd64: 'a', arm64: 'b' },
      options: {
        platform: ['linux/amd64', 'linux/arm64'],
        outputs: [{ type: 'oci', dest: `${folder}/oci.tar` }],
      },
      args: [
        ...['--opt', 'platform=linux/amd64,linux/arm64'],
        ...['--output', `type=oci,dest=${folder}/oci.tar`],
      ],
      isParallel: true,
    },
    {
      name: 'cross',
      dockerfile: [
        ...[`FROM --platform=$BUILDPLATFORM ${host}/busybox AS a`, 'RUN echo cross > /f'],
        ...['FROM scratch', 'COPY --from=a /f /g'],
      ],
      options: {
        platform: ['linux/amd64', 'linux/arm64'],
        outputs: [{ type: 'oci', dest: `${folder}/oci.tar` }],
      },
      args: [
        ...['--opt', 'platform=linux/amd64,linux/arm64'],
        ...['--output', `type=oci,dest=${folder}/oci.tar`],
      ],
      isParallel: true,
    },
  ]
}
