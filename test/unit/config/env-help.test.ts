import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderEnvHelp, renderEnvTable } from '../../../src/config/env-help.ts';
import { hasFileForm, variable, variableNames } from '../../../src/config/variables.ts';

describe('renderEnvHelp', () => {
  test('names every variable, and marks those that can be read from a file', () => {
    const help = renderEnvHelp();

    for (const name of variableNames) {
      assert.match(help, new RegExp(`^  ${name}${hasFileForm(name) ? ' \\*' : ''} `, 'm'));
    }
  });

  test('fits into 100 columns', () => {
    const tooLong = renderEnvHelp()
      .split('\n')
      .filter((line) => line.length > 100);

    assert.deepEqual(tooLong, []);
  });
});

describe('the table of variables', () => {
  test('has defaults that its own parsers accept', () => {
    for (const name of variableNames) {
      const { default: byDefault, parse } = variable(name);
      if (byDefault !== null) assert.doesNotThrow(() => parse(byDefault), name);
    }
  });

  test('marks every password and the DATABASE_URL as secret', () => {
    const secrets = variableNames.filter((name) => variable(name).secret === true);

    assert.deepEqual(secrets, ['DATABASE_URL', 'DB_PASSWORD', 'ADMIN_PASSWORD']);
  });

  test('becomes one row of the README for each variable', () => {
    assert.equal(renderEnvTable().split('\n').length, variableNames.length + 2);
  });
});
