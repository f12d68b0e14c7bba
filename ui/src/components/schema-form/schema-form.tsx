/** A form made from a JSON Schema: fields with what is wrong with them, the first of which takes the focus. */
import { type ReactElement, useEffect, useRef } from "react";
import { Field, fieldClass } from "../field.tsx";
import type { FormTexts } from "./field-text.ts";
import type { FormField } from "./read-schema.ts";

export type SchemaFormProps = Readonly<{
  fields: readonly FormField[];
  texts: FormTexts;
  onChange: (texts: FormTexts) => void;
  /** By the name of the field. A new object takes the focus to the first fault. */
  faults: Readonly<Record<string, string>>;
}>;

export function SchemaForm({ fields, texts, onChange, faults }: SchemaFormProps): ReactElement {
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (Object.keys(faults).length === 0) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [faults]);
  const told = fields.filter(({ name }) => faults[name] !== undefined);
  return (
    <div ref={form} className="flex max-w-160 flex-col gap-4">
      <p role="alert" className="sr-only">
        {told.map(({ title, name }) => `${title}: ${faults[name]}`).join(". ")}
      </p>
      {fields.map((field) => (
        <Field
          key={field.name}
          label={field.title}
          about={field.about}
          isRequired={field.isRequired}
          fault={faults[field.name]}
        >
          {(control) => (
            <Control
              control={control}
              field={field}
              text={texts[field.name] ?? ""}
              onChange={(text) => onChange({ ...texts, [field.name]: text })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

type ControlProps = Readonly<{
  control: Readonly<{ id: string }>;
  field: FormField;
  text: string;
  onChange: (text: string) => void;
}>;

/** Kinds of text for which browsers have a field of their own. */
const inputTypes: Readonly<Record<string, string>> = { date: "date", email: "email", uri: "url" };

function Control({ control, field, text, onChange }: ControlProps): ReactElement {
  const { kind } = field;
  const common = { ...control, value: text, className: fieldClass };
  switch (kind.type) {
    case "flag":
      return (
        <input
          {...control}
          type="checkbox"
          checked={text === "true"}
          onChange={(event) => onChange(String(event.target.checked))}
          className="size-5 accent-accent"
        />
      );
    case "choice":
      return (
        <select {...common} onChange={(event) => onChange(event.target.value)}>
          <option value="">{field.isRequired ? "Choose …" : "As usual"}</option>
          {kind.options.map((option) => (
            <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
              {String(option)}
            </option>
          ))}
        </select>
      );
    case "number":
      return (
        <input
          {...common}
          type="text"
          inputMode={kind.isWhole ? "numeric" : "decimal"}
          placeholder={
            [kind.min, kind.max].some((one) => one !== undefined)
              ? `${kind.min ?? "…"} to ${kind.max ?? "…"}`
              : ""
          }
          onChange={(event) => onChange(event.target.value)}
        />
      );
    case "text":
      if (!kind.isLong) {
        return (
          <input
            {...common}
            type={inputTypes[kind.format ?? ""] ?? "text"}
            onChange={(event) => onChange(event.target.value)}
          />
        );
      }
      return <LongText common={common} onChange={onChange} isCode={false} />;
    case "texts":
      return (
        <LongText common={{ ...common, placeholder: "One a line" }} onChange={onChange} isCode={false} />
      );
    case "json":
      return <LongText common={common} onChange={onChange} isCode />;
  }
}

function LongText({
  common,
  onChange,
  isCode,
}: Readonly<{
  common: Readonly<{ id: string; value: string; className: string; placeholder?: string }>;
  onChange: (text: string) => void;
  isCode: boolean;
}>): ReactElement {
  return (
    <textarea
      {...common}
      rows={isCode ? 6 : 4}
      spellCheck={!isCode}
      onChange={(event) => onChange(event.target.value)}
      className={`${common.className} h-auto py-1 ${isCode ? "font-mono text-log" : ""}`}
    />
  );
}
