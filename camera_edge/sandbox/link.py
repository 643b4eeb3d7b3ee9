"""Answers the imports of a module for one camera.

Invariant: an import that was not granted is not linked, and then the module does not start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wasmtime import FuncType, Linker, ValType, WasmtimeError

from camera_edge.errors import ModuleError
from camera_edge.sandbox import functions, host, nn, raw, wasi
from camera_edge.sandbox.answer import printable
from camera_edge.sandbox.capability import NN_LOAD
from camera_edge.sandbox.effort import Effort
from camera_edge.sandbox.functions import FUNCTIONS
from camera_edge.sandbox.guest import Linked
from camera_edge.sandbox.host import Host
from camera_edge.sandbox.runtime import Program
from camera_edge.sandbox.sections import FunctionType
from camera_edge.sandbox.wasi import Wasi

_TYPES = {"i32": ValType.i32, "i64": ValType.i64, "f32": ValType.f32, "f64": ValType.f64}


class Imports:
    """What the guest of one analyzer may call; each new instance begins with `restart()`."""

    def __init__(self, program: Program, answers: Host) -> None:
        self._program = program
        self._host = answers
        self._nn: Mapping[str, nn.NnFunction] = {}
        self.wasi = Wasi(answers)
        self.restart()

    def restart(self) -> None:
        """Forget what belonged to the last instance: models it opened, its place in the random sequence."""
        self.wasi.restart()
        services, granted = self._host.services, self._host.granted
        models = nn.Models(services.graph, granted.models, services.load if granted.nn_load else None)
        if models.any:
            self._nn = nn.functions(self._host, models)

    def link(self) -> Linked:
        """Raises ModuleError for an import that is unknown or not granted."""
        engine = self._program.engine
        linker = Linker(engine)
        # a module may import a function twice
        for wanted in dict.fromkeys(self._program.interface.imports):
            if wanted.function is None:
                raise self._refusal(wanted.module, wanted.name, "an analyzer imports functions only")
            function = self._find(wanted.module, wanted.name, wanted.function)
            kind = FuncType(_values(wanted.function.params), _values(wanted.function.results))
            try:
                raw.define(linker, wanted.module, wanted.name, kind, function)
            except WasmtimeError as error:
                raise self._refusal(wanted.module, wanted.name, "it is imported twice, with two types") from error
        try:
            pre = linker.instantiate_pre(self._program.compiled)
        except WasmtimeError as error:
            raise ModuleError(f"cannot be linked: {error}", where=self._program.name) from error
        return Linked(engine, pre, self._program.manifest.limits, self._program.metered)

    def _find(self, module: str, name: str, kind: FunctionType) -> Callable[..., Any]:
        if module == functions.MODULE:
            return self._camera_edge(name, kind)
        if module == wasi.MODULE:
            if not wasi.may_be(name, kind):
                raise self._refusal(module, name, "it has another type there")
            return self.wasi.function(name, result=bool(kind.results))
        if module == nn.MODULE:
            return self._wasi_nn(name, kind)
        raise self._refusal(module, name, "there is nothing of that name; wasm_analyzers/ABI.md lists what there is")

    def _camera_edge(self, name: str, kind: FunctionType) -> Callable[..., Any]:
        known = FUNCTIONS.get(name)
        if known is None:
            raise self._refusal(functions.MODULE, name, "there is no such function in ABI 1")
        if kind != FunctionType(known.params, (known.result,)):
            raise self._refusal(functions.MODULE, name, f"its type is ({', '.join(known.params)}) -> {known.result}")
        if not self._host.grants(name):
            raise self._refusal(functions.MODULE, name, self._how_to_grant(known.needs or ""))
        return self._host.function(name)

    def _wasi_nn(self, name: str, kind: FunctionType) -> Callable[..., Any]:
        if not self._nn:
            asked = self._program.manifest.asked
            needs = NN_LOAD if asked.nn_load and not asked.models else "onnx:<model>"
            raise self._refusal(nn.MODULE, name, self._how_to_grant(needs))
        known = self._nn.get(name)
        if known is None:
            raise self._refusal(nn.MODULE, name, "there is no such function in wasi-nn")
        if kind != FunctionType(("i32",) * known.parameters, ("i32",)):
            raise self._refusal(nn.MODULE, name, "it has another type there")

        def answer(*args: int) -> int:
            self._host.pay(host.INFER_FUEL if name in nn.COSTLY else host.CALL_FUEL)
            costly = name in nn.COSTLY
            refused = costly and not self._host.may_infer()
            started = Effort.now()
            errno = nn.NnErrno.TOO_LARGE if refused else self._nn[name].call(*args)
            if costly:
                self._host.note_inference(Effort.now() - started, own=self._host.granted.nn_load)
            self._host.calls[f"{nn.MODULE}.{name}", nn.NnErrno(errno).name] += 1
            self._host.pay_for_bytes()
            return errno

        return answer

    def _how_to_grant(self, needs: str) -> str:
        manifest = self._program.manifest
        family = needs.partition("<")[0]
        asked = [name for name in manifest.capabilities if name.startswith(family)]
        if not asked:
            return f"its manifest does not ask for {needs}"
        if family == "onnx:" and not self._host.granted.models:
            return (
                f"grant it: analyzers.{manifest.name}.grant: [onnx:NAME], and name the model by the parameter `model`"
            )
        if family == "onnx:" or (family == NN_LOAD and self._host.granted.nn_load):
            return "no models are run here"
        return f"grant it: analyzers.{manifest.name}.grant: [{', '.join(asked)}]"

    def _refusal(self, module: str, name: str, hint: str) -> ModuleError:
        what = printable(f"{module}.{name}".encode())
        return ModuleError(f"imports {what}, which it was not given", where=f"analyzer {self._program.name}", hint=hint)


def _values(names: tuple[str, ...]) -> list[ValType]:
    return [_TYPES[name]() for name in names]
