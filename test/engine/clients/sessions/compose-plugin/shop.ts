import type { Session } from '../../support/session.ts'
import { WEB, WORKER } from '../compose.ts'
import { CD, PLUGIN } from './plugin.ts'

const APPLICATION = `
services:
  setup:
    image: busybox
    command: sh -c "echo made > /data/ready"
    volumes: ["data:/data"]
  store:
    image: busybox
    command: httpd -f -p 80 -h /data
    volumes: ["data:/data:ro"]
    depends_on: {setup: {condition: service_completed_successfully}}
    healthcheck: {test: "wget -qO- http://127.0.0.1/ready", interval: 200ms, timeout: 2s, retries: 50}
    networks: {inner: {aliases: [kept]}}
  web:
    build: {context: ./web, args: {GREETING: hello}}
    depends_on: {store: {condition: service_healthy, restart: true}}
    ports: ["8001:80", "127.0.0.1:8002:80/udp"]
    environment: {A: b}
    networks: [inner, outer]
    stop_grace_period: 1s
${WORKER}`

/** An application of four services by compose 5. */
export const COMPOSE_SHOP: Session = {
  name: 'compose-shop',
  steps: [
    PLUGIN,
    `mkdir -p shop/web && cd shop && echo page > web/page && cat > compose.yaml << 'END'${APPLICATION}END\ncat > web/Dockerfile << 'END'${WEB}END`,
    `${CD('shop')} config -q`,
    `${CD('shop')} build --quiet | grep -v ^Sending | sed "s/[0-9a-f]\\{12\\}$/ID/"`,
    `${CD('shop')} up -d --wait 2>&1 | sort`,
    `${CD('shop')} ps -a --format "{{.Service}} {{.State}} {{.Health}} {{.ExitCode}} {{.Ports}}" | sort`,
    `${CD('shop')} ps | sort`,
    `${CD('shop')} ps --format json web | jq 'del(.Labels, .Networks) | .Publishers |= sort_by(.PublishedPort, .URL)'`,
    `${CD('shop')} ls -a`,
    `${CD('shop')} ls --format json | sed "s,$PWD,,"`,
    `${CD('shop')} images | sed "s/ *[0-9.]* *[kM]B.*//" | sort`,
    `${CD('shop')} volumes`,
    'wget -qO- http://127.0.0.1:8001/; wget -qO- http://127.0.0.1:8001/page',
    `${CD('shop')} exec -T web sh -c "echo \\$A; wget -qO- http://kept/ready; exit 9"`,
    {
      terminal: `${CD('shop')} exec worker sh`,
      compares: 'end',
      dialogue: [[/# /, 'stty size; tty; exit 3\r']],
    },
    `echo piped | (${CD('shop')} exec -T worker cat)`,
    `${CD('shop')} exec -d worker touch /tmp/detached; ${CD('shop')} exec -T -w /tmp -e B=c -u 1000 worker sh -c "pwd; echo \\$B; id -u"`,
    `${CD('shop')} logs --no-color worker; ${CD('shop')} logs --no-log-prefix -n 1 worker`,
    `(sleep 1; ${CD('shop')} stop -t 1 worker 2> /dev/null) & ${CD('shop')} logs -f --no-color worker; wait`,
    `${CD('shop')} ps -a --format "{{.Service}} {{.State}} {{.ExitCode}}" | sort`,
    `${CD('shop')} start worker 2>&1`,
    `echo copied > shop/file && ${CD('shop')} cp file web:/site/file 2>&1; wget -qO- http://127.0.0.1:8001/file; ${CD('shop')} cp web:/site out 2>&1; cat shop/out/page shop/out/file`,
    `${CD('shop')} port web 80; ${CD('shop')} port --protocol udp web 80; ${CD('shop')} port web 81`,
    `${CD('shop')} top worker | grep -c "while :"`,
    `${CD('shop')} restart -t 1 worker 2>&1`,
    `${CD('shop')} restart -t 1 store 2>&1 | sort`,
    { until: `${CD('shop')} ps --format "{{.Health}}" store`, shows: /^healthy/ },
    `${CD('shop')} pause worker 2>&1; ${CD('shop')} ps --format "{{.Status}}" worker; ${CD('shop')} unpause worker 2>&1`,
    `echo through | (${CD('shop')} run --rm -T worker cat 2> /dev/null)`,
    `${CD('shop')} run --rm -T --no-deps --name once -e B=c --entrypoint sh worker -c "echo \\$B; exit 4" 2>&1`,
    `${CD('shop')} up -d --wait --scale worker=3 2>&1 | sort`,
    `${CD('shop')} ps -q worker | wc -l; ${CD('shop')} exec --index 3 -T worker hostname | wc -c`,
    `${CD('shop')} scale worker=2 2>&1 | sort`,
    `${CD('shop')} logs --no-color worker | sort`,
    `(sleep 1; ${CD('shop')} kill -s TERM worker 2> /dev/null) & ${CD('shop')} wait worker 2>&1 | sort; wait`,
    'docker inspect shop-web-1 -f "{{json .Config}}" | sed "s/compose.image\\":\\"sha256:[0-9a-f]*/compose.image\\":\\"ID/; s/config-hash\\":\\"[0-9a-f]*/config-hash\\":\\"HASH/"',
    'docker inspect shop-web-1 -f "{{json .HostConfig}}"',
    'docker inspect shop-web-1 -f "{{json .NetworkSettings.Networks}}"',
    `${CD('shop')} stop -t 1 2>&1 | sort; ${CD('shop')} ps`,
    `${CD('shop')} start --wait 2>&1 | sort`,
    `${CD('shop')} rm -sf worker 2>&1 | sort`,
    `${CD('shop')} down -t 1 2>&1 | sort; docker ps -aq; docker network ls -q --filter label=com.docker.compose.project=shop; docker volume ls -q`,
    `${CD('shop')} down -v --rmi local 2>&1 | sort; docker volume ls -q; docker images --format "{{.Repository}}"`,
  ],
}
