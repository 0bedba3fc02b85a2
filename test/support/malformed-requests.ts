/** Requests that are none: what scanners, broken proxies and mistakes send. */
import { connect, type Socket } from 'node:net';

const long = 'x'.repeat(20_000);
/** Its body comes drop by drop, and then the client gives up. */
const slowBody =
  'POST /api/system/health HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500';

const shapes: readonly string[] = [
  `GET /readyz HTTP/1.1\r\nHost: a\r\nCookie: ${long}`,
  `GET /${long} HTTP/1.1\r\nHost: a`,
  'GET /%E0%A4%A HTTP/1.1\r\nHost: a',
  'GET /../../etc/passwd HTTP/1.1\r\nHost: a',
  'GET http://other.example/api/system/health/ HTTP/1.1\r\nHost: a',
  'NONSENSE',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
  'GET /livez HTTP/9.9\r\nHost: a',
  'GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
  'POST /api/system/health HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: x',
  'POST /api/system/health HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\nContent-Length: 0',
  'DELETE /api/system/version HTTP/1.1\r\nHost: a',
  'OPTIONS * HTTP/1.1\r\nHost: a',
  slowBody,
];

/** Sends so many, fifty at a time, and gives how often each status came back. */
export async function malformedRequests(
  url: string,
  count: number,
): Promise<{ readonly answered: Readonly<Record<string, number>> }> {
  const answered: Record<string, number> = {};
  let sent = 0;
  const client = async () => {
    while (sent < count) {
      const shape = shapes[sent % shapes.length]!;
      sent += 1;
      const status = await sendOne(url, `${shape}\r\nConnection: close\r\n\r\n`);
      answered[status] = (answered[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 50 }, client));
  return { answered };
}

/** The status of the answer; an empty text when the connection was cut without one. */
function sendOne(url: string, text: string): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(text);
      if (text.startsWith(slowBody)) drip(socket);
    });
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 'cut'));
  });
}

/** Three drops, and then no more. */
function drip(socket: Socket): void {
  let left = 3;
  const drops = setInterval(() => {
    left -= 1;
    if (left >= 0) socket.write(' ');
    else socket.end();
  }, 20);
  socket.on('close', () => clearInterval(drops));
}
