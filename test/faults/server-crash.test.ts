import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { makeSite, type Running, until } from '../support/deploy.ts';
import { finishKilled, killsInCi, makeRandom } from '../support/kill.ts';
import { type Picture, takePicture } from '../support/picture.ts';
import { type Cleanup, startTestServer } from '../support/server.ts';
import { cities, openShop } from '../support/shop.ts';

/** Copies a table of 100,000 rows twice, which takes a while. */
const copies = {
  ...cities,
  '0.2.0/0003_copies.up.sql': `CREATE TABLE visit (id INT AUTO_INCREMENT PRIMARY KEY, page VARCHAR(100) NOT NULL, note VARCHAR(200)) COLLATE utf8mb4_unicode_ci;
INSERT INTO visit (page, note) SELECT CONCAT('page ', seq), REPEAT('x', seq % 200) FROM seq_1_to_100000;
ALTER TABLE visit ADD seen DATETIME(6) NULL AFTER page, ALGORITHM=COPY;
ALTER TABLE visit MODIFY page VARCHAR(120) NOT NULL, ADD INDEX by_page (page), ALGORITHM=COPY;
`,
};

const server = await startTestServer({ after });

const isNew = await makeExpected();

/** How the database looks after a run that nobody disturbed. */
async function makeExpected(): Promise<Picture> {
  const { site, db } = await openVisits({ after });
  const ended = await site.deploy(['up']);
  assert.equal(ended.code, 0, ended.stderr);
  const picture = await takePicture(db, site.database);
  // The server is going to be killed under it.
  await db.close();
  return picture;
}

async function openVisits(t: Cleanup) {
  const site = await makeSite(t, server);
  const db = await openShop(site);
  await site.write(copies);
  return { site, db };
}

describe('kill -9 of the server', () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 20_260_121);

  for (let nth = 1; nth <= Math.min(killsInCi(3), 20); nth++) {
    test(`while a table is copied, moment ${nth} of seed ${seed}: after its restart, one more up brings the new version`, async (t) => {
      const { site, db } = await openVisits(t);
      const random = makeRandom(seed + nth);
      const strike = async (run: Running): Promise<void> => {
        await until('a table is being copied', async () => {
          const copying = await db.query(
            `SELECT 1 FROM information_schema.processlist WHERE db = '${site.database}' AND state LIKE 'copy to tmp%'`,
          );
          return copying.length > 0 || run.child.exitCode !== null;
        });
        await new Promise((resolve) => setTimeout(resolve, random() * 400));
        await server.kill9();
        await run.ended;
        await server.start();
      };

      const scenario = 'up, server killed while it copies a table';
      const killed = site.start(['up']);
      await strike(killed);
      const first = await killed.ended;
      assert.equal(first.code, 23, first.stderr);
      await finishKilled({ site, db: await site.connect(), scenario, isNew }, first);
    });
  }
});
