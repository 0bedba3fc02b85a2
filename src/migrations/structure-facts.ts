/** What a structure says about statements that change rows, kept up to date object by object. */
import type { ObjectKey, SchemaObject } from '../schema/model.ts';
import { type CodeText, nonTransactionalTarget } from '../statements/non-transactional.ts';
import type { ClassifiedStatement } from './migration.ts';

/** Tables whose engine cannot roll back, and the code of a schema. Each costs only its own changes. */
export class StructureFacts {
  readonly #fixed = new Map<ObjectKey, string>();
  readonly #code = new Map<ObjectKey, CodeText>();
  #functions = 0;

  /** True when there is a function: any statement may call it. */
  get hasFunctions(): boolean {
    return this.#functions > 0;
  }

  add(key: ObjectKey, object: SchemaObject): void {
    if (object.kind === 'table') {
      if (object.engine !== 'InnoDB') this.#fixed.set(key, object.name);
      return;
    }
    if (isFunction(object)) this.#functions++;
    const table = object.kind === 'trigger' ? [object.attributes['table'] ?? ''] : [];
    this.#code.set(key, { names: [object.name, ...table], text: object.definition });
  }

  remove(key: ObjectKey, object: SchemaObject): void {
    this.#fixed.delete(key);
    if (this.#code.delete(key) && isFunction(object)) this.#functions--;
  }

  /** A table that the statement may write to, and that keeps its rows when a transaction is rolled back. */
  fixedTarget({ sql, classification }: ClassifiedStatement): string | undefined {
    const fixed = this.#fixed.values();
    return nonTransactionalTarget(sql, classification, fixed, this.#code.values());
  }
}

function isFunction({ kind }: SchemaObject): boolean {
  return /^(?:function|package)/.test(kind);
}
