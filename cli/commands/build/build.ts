import { OUTPUT_TYPES } from '#buildkit/values'
import {
  BUILD_USAGE,
  CACHES,
  COMPATIBLE,
  EXECUTION,
  INPUT,
  QUESTIONS,
  RESULT,
} from '../../arguments/build-flags.ts'
import {
  AUTHFILE,
  DEBUG,
  EXPLAIN,
  HELP,
  IGNORE_CHOWN_ERRORS,
  INSECURE,
  PROGRESS,
  QUIET,
  REGISTRY_CA,
  REGISTRY_MIRROR,
  ROOT_FLAG,
  TIMING,
} from '../../arguments/common-flags.ts'
import type { Arguments } from '../../arguments/flags.ts'
import { STEP_FLAGS } from '../../arguments/step-flags.ts'
import type { Command } from '../command.ts'

/** `tsbuild [build]` */
export const BUILD: Command = {
  name: 'build',
  summary: 'Build an image from a Dockerfile (the word build may be left out)',
  usage: BUILD_USAGE,
  flags: [
    ...INPUT,
    ...EXECUTION,
    ...CACHES,
    ...STEP_FLAGS,
    ...RESULT,
    ...QUESTIONS,
    ...COMPATIBLE,
    INSECURE,
    REGISTRY_CA,
    AUTHFILE,
    REGISTRY_MIRROR,
    IGNORE_CHOWN_ERRORS,
    PROGRESS,
    QUIET,
    DEBUG,
    TIMING,
    ...EXPLAIN,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild -t hello .', 'build the folder . and name the image hello:latest'],
    ['tsbuild -t ghcr.io/me/app:1.2 --push .', 'build and push'],
    ['tsbuild --target test --no-cache .', 'run the stage test again'],
    ['tsbuild -o type=oci,dest=app.tar .', 'write an OCI archive'],
    ['tsbuild -o out .', 'write the files of the result into the folder out'],
    ['tsbuild -t app https://host/app.git#v1:src', 'build a folder of a git repository'],
    ['tsbuild --explain .', 'build, and say why the steps that ran were not found in the cache'],
    ['tar c . | tsbuild -t app -', 'build an archive that comes on standard input'],
    ['tsbuild --check .', 'check the Dockerfile; exit with 1 when something was found'],
  ],
  tables: [
    {
      title: 'Outputs (settings in CSV; quote one with a comma: type=oci,"dest=a,b.tar")',
      rows: [
        ...Object.values(OUTPUT_TYPES).flatMap(({ help }) => help),
        ['dest=-', 'Standard output; oci and tar go there without dest, too'],
        ['name=NAME', 'Another name for an image output'],
        ['compression=C', 'Layers as uncompressed, gzip, zstd or zstd:chunked, in images'],
        [
          'compression-level=N',
          'gzip 0 to 9, zstd 1 to 22; force-compression=true: layers of the base, too',
        ],
        ['oci-mediatypes=false', "Docker's media types"],
        ['annotation[-LEVEL].KEY=V', 'As --annotation, for one output'],
      ],
    },
    {
      title: 'Caches elsewhere (CSV; without = it is the name of a cache in a registry)',
      rows: [
        [
          'type=registry,ref=NAME:TAG',
          'A cache in a registry; from an image too, if it has one inline',
        ],
        ['type=local,src=FOLDER', 'A cache in a folder; dest=FOLDER for --cache-to'],
        ['type=inline', 'To: results in the config of the image'],
        [
          'type=s3,bucket=B,region=R,name=N',
          'A cache in a bucket; also prefix, endpoint_url, access_key_id, …',
        ],
        [
          'type=azblob,account_url=URL',
          "A cache in Azure's blob storage; also container, name, secret_access_key",
        ],
        ['type=gha,scope=S', 'A cache in the service of GitHub Actions'],
        ['mode=max', 'To: results of all stages (default: min, those of the image)'],
        ['compression=C', 'To: layers as in an output; with force-compression=true all of them'],
        ['mounts=true', 'To: cache mounts of the steps, too'],
        ['ignore-error=true', 'To: a failure is a warning'],
        ['sign=KEY, verify=KEY', 'To, from: results are signed; only those signed so are used'],
        ['registry.insecure=true', 'The registry may use plain HTTP, or an unknown certificate'],
      ],
    },
    {
      title: 'Questions (--call REQUEST[,format=FORMAT][,ignorestatus=true])',
      rows: [
        ['check, lint', 'What the build checks find: text, json or sarif'],
        ['outline', 'Arguments, secrets and SSH agents that the target takes: text or json'],
        ['targets', 'Stages that can be built: text or json'],
        ['subrequests.describe', 'The questions that can be asked: text or json'],
      ],
    },
  ],
  notes: [
    'CONTEXT is a folder, a git repository (https://HOST/PATH.git#REF:FOLDER, git+https://HOST/PATH, git@HOST:PATH, github.com/USER/REPOSITORY), the URL of an archive or a Dockerfile, or - for either on standard input. Where it is not a folder, FILE is a path in it.',
    "A first word that is a command's name is that command: write ./images for a context of that name.",
  ],
  // In place, steps have the rights that this process has, which are more than those of a namespace's root.
  needsNamespace: (args) => !isQuestion(args) && args.text('isolation') !== 'in-place',
  run: async (args, shell, commands) => {
    const { runBuild } = await import('../../build/run-build.ts')
    return await runBuild(args, shell, commands)
  },
}

/** A question about a Dockerfile needs no rights, and may be asked where there are no namespaces. */
function isQuestion(args: Arguments): boolean {
  const call = args.text('call')
  return args.has('check') || (call !== undefined && !/^(build)?(,|$)/.test(call))
}
