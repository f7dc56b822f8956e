import type { Session } from '../../support/session.ts'
import { CD, PLUGIN } from './plugin.ts'

const APPLICATION = `
x-idle: &idle {image: busybox, command: sleep 600, init: true, stop_grace_period: 5s}
services:
  first:
    <<: *idle
    hostname: one
    networks:
      fixed: {ipv4_address: 172.30.7.10, aliases: [uno, ein]}
      plain: {mac_address: "02:42:ac:1e:07:77"}
    extra_hosts: ["elsewhere:10.9.8.7", "host.docker.internal:host-gateway"]
    dns: [172.30.7.53]
    dns_search: [example.test]
  second:
    <<: *idle
    environment: {VERSION: "\${VERSION:-1}"}
    networks: {fixed: {ipv4_address: 172.30.7.11}}
    volumes:
      - kept:/kept
      - own:/own
      - {type: tmpfs, target: /scratch, tmpfs: {size: 1m}}
      - {type: bind, source: ./there, target: /there, read_only: true}
      - /anonymous
    secrets: [{source: token, target: word}]
    configs: [{source: settings, target: /etc/settings.conf}]
    deploy: {resources: {limits: {memory: 64m, cpus: "0.5", pids: 100}}}
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    read_only: true
    ulimits: {nofile: {soft: 1000, hard: 2000}}
    sysctls: {net.ipv4.ip_unprivileged_port_start: 80}
    shm_size: 2m
    user: "1000:1000"
    logging: {driver: json-file, options: {max-size: 1m, max-file: "2"}}
  third:
    <<: *idle
    network_mode: "service:first"
    depends_on: [first]
  extra:
    <<: *idle
    profiles: [more]
    networks: [plain]
  failing:
    image: busybox
    command: sh -c "exit 3"
    profiles: [bad]
    networks: [plain]
  behind:
    <<: *idle
    depends_on: {failing: {condition: service_completed_successfully}}
    profiles: [bad]
    networks: [plain]
networks:
  fixed: {ipam: {config: [{subnet: 172.30.7.0/24, gateway: 172.30.7.1}]}, labels: {seen: "yes"}}
  plain: {internal: true}
volumes:
  kept: {external: true, name: before}
  own: {labels: {a: b}}
secrets: {token: {file: ./token}}
configs: {settings: {file: ./settings.conf}}
`

const STATES = 'ps -a --format "{{.Service}} {{.State}} {{.ExitCode}} {{.Status}}" | sort'

/** Networks, volumes, profiles and what compose 5 makes anew after a change. */
export const COMPOSE_CHANGES: Session = {
  name: 'compose-changes',
  steps: [
    PLUGIN,
    `mkdir -p site/there && cd site && cat > compose.yaml << 'END'${APPLICATION}END\necho hidden > token; echo a=b > settings.conf; echo there > there/file; chmod -R a+rX .`,
    `${CD('site')} config --services | sort; ${CD('site')} config --profiles | sort; ${CD('site')} config --hash second`,
    `${CD('site')} up -d 2>&1 | tail -1`,
    'docker volume create before > /dev/null',
    `${CD('site')} up -d 2>&1 | sort`,
    `${CD('site')} ${STATES}`,
    'docker inspect site-second-1 | jq ".[0].HostConfig | .Binds |= sort"',
    'docker inspect site-second-1 | jq ".[0].Mounts | sort_by(.Destination)"',
    'docker inspect site-first-1 -f "{{json .NetworkSettings.Networks}}"',
    'docker inspect site-first-1 | jq ".[0].HostConfig | .ExtraHosts |= sort"',
    'docker inspect site-third-1 -f "{{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks}}"',
    'docker network inspect site_fixed site_plain | jq "map(del(.Labels[\\"com.docker.compose.config-hash\\"]) | .Containers |= (map(.) | sort_by(.Name)))"',
    'docker volume inspect site_own | jq "map(del(.Labels[\\"com.docker.compose.config-hash\\"]))"',
    `${CD('site')} exec -T first sh -c "hostname; cat /etc/hosts | sort; grep '^[a-z]' /etc/resolv.conf | sort"`,
    `${CD('site')} exec -T second sh -c "nslookup -type=a uno; nslookup -type=a one | tail -1"`,
    `${CD('site')} exec -T second sh -c "cat /run/secrets/word /etc/settings.conf /there/file; touch /own/x /there/x; df -k /scratch /dev/shm | grep -o '/[a-z/]*$'; id; ulimit -n; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; grep Cap /proc/self/status"`,
    `${CD('site')} exec -T third sh -c "hostname; ip -o -4 addr show | grep -c 172"`,
    `${CD('site')} up -d 2>&1 | sort`,
    `${CD('site')} up -d --dry-run second 2>&1 | sort`,
    `(export VERSION=2; ${CD('site')} up -d 2>&1) | sort`,
    `${CD('site')} exec -T second sh -c "echo \\$VERSION; ls /own"`,
    `${CD('site')} up -d --no-recreate 2>&1 | sort`,
    `${CD('site')} up -d --force-recreate --no-deps second 2>&1 | sort`,
    `${CD('site')} up -d --force-recreate --renew-anon-volumes first 2>&1 | sort`,
    `${CD('site')} --profile more up -d 2>&1 | sort`,
    `${CD('site')} ${STATES}; ${CD('site')} --profile more ${STATES}`,
    `${CD('site')} --profile bad up -d behind 2>&1 | sort`,
    `${CD('site')} --profile "*" ${STATES}`,
    `${CD('site')} run --rm -T -e X=y -v "$HOME/site/there:/mnt" --name task second sh -c "echo \\$X; ls /mnt; cat /run/secrets/word" 2> /dev/null`,
    `${CD('site')} create --force-recreate second 2>&1 | sort; ${CD('site')} ${STATES}; ${CD('site')} start second 2>&1`,
    'cd site; sed -i "s/^  third:/  fourth:/; s/subnet: 172.30.7/subnet: 172.30.8/; s/gateway: 172.30.7/gateway: 172.30.8/; s/ipv4_address: 172.30.7/ipv4_address: 172.30.8/" compose.yaml',
    `${CD('site')} up -d -y 2>&1 | sort`,
    `${CD('site')} up -d --remove-orphans 2>&1 | sort`,
    `${CD('site')} ${STATES}`,
    'docker network inspect site_fixed -f "{{json .IPAM}}"; docker inspect site-second-1 -f "{{(index .NetworkSettings.Networks \\"site_fixed\\").IPAddress}}"',
    `${CD('site')} stats --no-stream --format "{{.Name}}" | sort`,
    `(sleep 1; ${CD('site')} restart first; ${CD('site')} pause second; ${CD('site')} unpause second; ${CD('site')} stop second) > /dev/null 2>&1 & timeout -s INT 8 docker compose -p site events --json | jq -r "[.service, .action, .type] | join(\\" \\")" | grep -v exec_ | sort; wait`,
    `${CD('site')} export -o /dev/null first 2>&1; ${CD('site')} commit first site:made 2>&1 | sed "s/sha256:[0-9a-f]*/sha256/"; docker image inspect -f "{{json .Config.Cmd}}" site:made`,
    `${CD('site')} down 2>&1 | sort`,
    `${CD('site')} --profile "*" down -v --remove-orphans 2>&1 | sort; docker ps -aq; docker volume ls -q | sed "s/[0-9a-f]\\{64\\}/anonymous/" | sort; docker network ls -q --filter type=custom`,
    `${CD('site')} down; ${CD('site')} ps -a; ${CD('site')} logs; ${CD('site')} exec first true`,
    'cd site; echo "services: {x: {image: nowhere.invalid/nothing}}" > compose.yaml; docker compose up -d --pull never 2>&1 | tail -1; docker compose down 2>&1',
  ],
}
