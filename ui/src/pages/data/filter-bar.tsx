/** Conditions that hold, each taken away by a press, and a form for one more. */
import { Plus, X } from "lucide-react";
import { type FormEvent, type ReactElement, useState } from "react";
import { Button, buttonClass } from "../../components/button.tsx";
import { Combobox } from "../../components/combobox.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, fieldClass } from "../../components/field.tsx";
import { Select } from "../../components/select.tsx";
import {
  familyOf,
  type Operator,
  operators,
  operatorsOf,
  type RowFilter,
  type TypeFamily,
  tellFilter,
} from "./row-filter.ts";
import type { RowColumn } from "./row-source.ts";

export type FilterBarProps = Readonly<{
  columns: readonly RowColumn[];
  filters: readonly RowFilter[];
  onChange: (filters: readonly RowFilter[]) => void;
}>;

export function FilterBar({ columns, filters, onChange }: FilterBarProps): ReactElement {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Plus aria-hidden="true" /> Filter
      </Button>
      {filters.map((filter, at) => (
        <button
          key={`${at} ${tellFilter(filter)}`}
          type="button"
          aria-label={`Remove: ${tellFilter(filter)}`}
          onClick={() => onChange(filters.filter((_, other) => other !== at))}
          className={buttonClass("plain", "max-w-80 bg-selected font-normal")}
        >
          <span className="truncate">{tellFilter(filter)}</span>
          <X aria-hidden="true" />
        </button>
      ))}
      {isOpen && (
        <FilterDialog
          columns={columns}
          onClose={() => setOpen(false)}
          onAdd={(filter) => {
            onChange([...filters, filter]);
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

function FilterDialog({
  columns,
  onClose,
  onAdd,
}: Readonly<{
  columns: readonly RowColumn[];
  onClose: () => void;
  onAdd: (filter: RowFilter) => void;
}>): ReactElement {
  const [name, setName] = useState(columns[0]?.name ?? "");
  const [chosen, setOperator] = useState<Operator>("eq");
  const [value, setValue] = useState("");
  const [fault, setFault] = useState<string>();
  const column = columns.find((one) => one.name === name);
  const family = familyOf(column?.type ?? "text");
  const allowed = operatorsOf(family);
  const operator = allowed.includes(chosen) ? chosen : (allowed[0] ?? "eq");
  const choices = operator === "isnull" || family === "boolean" ? ["true", "false"] : undefined;
  const given = choices !== undefined && !choices.includes(value) ? "true" : value;
  const add = (event: FormEvent): void => {
    event.preventDefault();
    const problem = column === undefined ? "Choose a column." : findProblem(operator, family, given);
    setFault(problem);
    if (problem === undefined) onAdd({ column: name, operator, value: given });
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Add a filter"
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button look="primary" type="submit" form="filter-form">
            Add
          </Button>
        </>
      }
    >
      <form id="filter-form" noValidate onSubmit={add} className="flex flex-wrap items-start gap-3">
        <Field label="Column" {...(column !== undefined && { about: column.type })}>
          {() => (
            <Combobox
              label="Column"
              options={columns.map((one) => one.name)}
              value={name}
              onChange={setName}
            />
          )}
        </Field>
        <Field label="Condition">
          {({ id }) => (
            <Select
              id={id}
              label="Condition"
              isLabelHidden
              options={allowed.map((one) => ({ value: one, name: operators[one] }))}
              value={operator}
              onChange={(next) => setOperator(allowed.find((one) => one === next) ?? "eq")}
            />
          )}
        </Field>
        <Field label="Value" about={aboutOf(operator, family)} fault={fault}>
          {(control) =>
            choices === undefined ? (
              <input
                {...control}
                value={value}
                type={operator !== "in" && family === "date" ? "date" : "text"}
                inputMode={family === "number" ? "decimal" : "text"}
                onChange={(event) => setValue(event.target.value)}
                className={`${fieldClass} w-60`}
              />
            ) : (
              <Select
                id={control.id}
                label="Value"
                isLabelHidden
                options={choices.map((one) => ({ value: one, name: one === "true" ? "yes" : "no" }))}
                value={given}
                onChange={setValue}
              />
            )
          }
        </Field>
      </form>
    </Dialog>
  );
}

function aboutOf(operator: Operator, family: TypeFamily): string {
  if (operator === "in") return "Separated by commas.";
  if (operator === "like") return "% stands for any characters, _ for one.";
  if (family === "time") return "Such as 2026-01-31T14:00:00Z.";
  return family === "number" ? "A number." : "";
}

function findProblem(operator: Operator, family: TypeFamily, value: string): string | undefined {
  if (operator === "isnull" || (family === "text" && operator !== "in")) return undefined;
  if (value.trim() === "") return "Type a value.";
  const isNumber = (text: string): boolean => /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text);
  const items = operator === "in" ? value.split(",") : [value];
  if (family === "number" && !items.every(isNumber)) return `${value} is not a number.`;
  if (family === "time" && items.some((one) => Number.isNaN(Date.parse(one))))
    return `${value} is not a time.`;
  return undefined;
}
