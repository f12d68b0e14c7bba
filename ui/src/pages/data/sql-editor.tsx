/** Where SQL is typed: with colours, names of tables and columns, and Ctrl+Enter to run. */
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { type ReactElement, useEffect, useRef } from "react";

export type SqlEditorProps = Readonly<{
  text: string;
  onChange: (text: string) => void;
  onRun: () => void;
  /** Columns by table, for completion. */
  schema: Readonly<Record<string, readonly string[]>>;
}>;

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--panel)", color: "var(--text)", fontSize: "12px", height: "100%" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-content": {
    fontFamily: '"JetBrains Mono Variable", monospace',
    lineHeight: "20px",
    caretColor: "var(--text)",
  },
  ".cm-gutters": { backgroundColor: "var(--sunk)", color: "var(--muted)", border: "none" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selected)",
  },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--selected)",
    color: "var(--text)",
  },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--succeeded)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--attention)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--muted)", fontStyle: "italic" },
]);

export function SqlEditor({ text, onChange, onRun, schema }: SqlEditorProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const language = useRef(new Compartment());
  const newest = useRef({ onChange, onRun });
  newest.current = { onChange, onRun };

  useEffect(() => {
    if (box.current === null) return;
    const editor = new EditorView({
      parent: box.current,
      state: EditorState.create({
        doc: text,
        extensions: [
          keymap.of([
            {
              key: "Mod-Enter",
              run: () => {
                newest.current.onRun();
                return true;
              },
            },
            ...completionKeymap,
            ...historyKeymap,
            ...defaultKeymap, // Tab is not among them: it leaves the editor, as people with a keyboard alone need.
          ]),
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          autocompletion(),
          language.current.of([]),
          syntaxHighlighting(colours),
          theme,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "SQL query" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) newest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
    // The text comes in once; later ones are put in below.
  }, []);

  useEffect(() => {
    const tables = Object.fromEntries(Object.entries(schema).map(([name, columns]) => [name, [...columns]]));
    const support = sql({ dialect: PostgreSQL, schema: tables, upperCaseKeywords: true });
    view.current?.dispatch({ effects: language.current.reconfigure(support) });
  }, [schema]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  return <div ref={box} className="card h-48 min-h-24 resize-y overflow-hidden" />;
}
