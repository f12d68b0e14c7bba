/** Words with which a statement that reads begins. */
const readers = /^(select|with|from|values|table)\b/i;

/** Why a statement is not run; `undefined`: it reads. */
export function refuseSql(text: string): string | undefined {
  const bare = text.replace(/^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|\()*/, "");
  if (bare === "") return "There is no statement. Type one that begins with SELECT.";
  if (readers.test(bare)) return undefined;
  const word = /^\w+/.exec(bare)?.[0].toUpperCase() ?? bare.slice(0, 10);
  return `${word} is refused: published datasets are read here and never changed. Begin with SELECT.`;
}
