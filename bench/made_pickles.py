"""Files of PyTorch put together at random from what pickles can say: for tests that hold readers against each other."""
import io
import pickle
import struct
import zipfile

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
TYPES = ["FloatStorage"] * 8 + ["IntStorage", "HalfStorage"]


def text(word):
    return b"X" + struct.pack("<I", len(word)) + word.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


class Maker:
    """Writes opcodes; remembers which memory holds what."""

    def __init__(self, chance, legacy):
        self.chance = chance
        self.legacy = legacy
        self.memory = []  # of (index, kind)

    def remember(self, kind, code):
        if self.chance.random() < 0.4 and len(self.memory) < 200:
            self.memory.append((len(self.memory), kind))
            return code + b"q" + bytes([len(self.memory) - 1])
        return code

    def recall(self, kind):
        known = [index for index, kind_there in self.memory if kind_there == kind]
        return b"h" + bytes([self.chance.choice(known)]) if known else None

    def sequence(self, *values):
        items = b"".join(number(value) for value in values)
        kind = self.chance.randrange(12)
        if kind == 0:
            return self.remember("list", b"](" + items + b"e")
        if kind == 1:
            return b"ctorch\nSize\n(](" + items + b"etR"
        if kind == 2 and self.recall("list"):
            return self.recall("list")
        return b"(" + items + b"t"

    def storage(self):
        if self.chance.random() < 0.2 and self.recall("storage"):
            return self.recall("storage")
        key = self.chance.choice(["0", "0", "1", "2"])
        kind = self.chance.choice(TYPES)
        elements = 8 if kind == "HalfStorage" else 4
        part = b""
        if self.legacy:
            part = b"N"
            if self.chance.random() < 0.3:
                part = b"(" + text(self.chance.choice("056")) + number(self.chance.randrange(2)) + number(2) + b"t"
        code = (b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text(key) + text("cpu") +
                number(elements) + part + b"tQ")
        return self.remember("storage", code)

    def tensor(self):
        if self.chance.random() < 0.15 and self.recall("tensor"):
            return self.recall("tensor")
        rows = self.chance.choice([1, 2])
        arguments = (self.storage() + number(self.chance.randrange(2)) + self.sequence(rows, 1) +
                     self.sequence(1, 1) + b"\x89ccollections\nOrderedDict\n)R")
        function = b"ctorch._utils\n_rebuild_tensor_v2\n"
        code = function + b"(" + arguments + b"tR"
        kind = self.chance.randrange(14)
        if kind == 0:
            code = (b"ctorch._tensor\n_rebuild_from_type_v2\n(" + function + b"ctorch\nTensor\n(" + arguments + b"t" +
                    self.state() + b"tR")
        if kind == 1:
            code = (b"ctorch._tensor\n_rebuild_from_type_v2\n(" + function + b"ctorch.nn.parameter\nParameter\n(" +
                    arguments + b"t" + self.state() + b"tR")
        if kind == 2:
            code = b"ctorch._utils\n_rebuild_parameter\n(" + code + b"\x89ccollections\nOrderedDict\n)RtR"
        if kind == 3:
            code += self.state() + b"b"
        if kind == 4:
            code = b"ctorch\nTensor\n(" + code + b"tR"
        return self.remember("tensor", code)

    def state(self):
        kind = self.chance.randrange(6)
        if kind == 0:
            return b"N"
        if kind == 1:
            return b"}(" + text(self.chance.choice(["data", "real", "note", "grad"])) + self.tensor() + b"u"
        if kind == 2:
            return b"(" + b"}" + b"}(" + text("data") + self.tensor() + b"u" + b"t"
        if kind == 3:
            return b"}(" + self.storage() + b"N" + number(0) + b"N" + self.sequence(2) + b"N" + self.sequence(1) + b"Nu"
        return b"}"

    def key(self):
        kind = self.chance.randrange(16)
        if kind == 0:
            return number(self.chance.randrange(2))
        if kind == 1:
            return self.chance.choice([b"\x88", b"\x89", b"G" + struct.pack(">d", 1.0), text("a") + b"\x85", b"N"])
        return text(self.chance.choice(["a.w", "b.w", "c", "d", "model", "state_dict", "optimizer"]))

    def pairs(self, depth):
        return [self.key() + self.value(depth + 1) for _ in range(self.chance.randrange(1, 4))]

    def value(self, depth=0):
        kind = self.chance.randrange(20)
        if depth > 3 or (depth > 0 and kind < 8):
            return self.tensor()
        if kind < 10:
            return self.remember("dict", b"}(" + b"".join(self.pairs(depth)) + b"u")
        if kind < 13:
            name = self.chance.choice([b"ccollections\nOrderedDict\n", b"ccollections\nCounter\n",
                                       b"ccollections\ndefaultdict\n"])
            listed = b"".join(b"(" + pair + b"t" for pair in self.pairs(depth))
            argument = self.chance.choice([b"](" + listed + b"e", b"(" + listed + b"t", b"}"])
            first = b"cbuiltins\nlist\n" if b"default" in name else b""
            return self.remember("dict", name + b"(" + first + argument + b"t" + self.chance.choice([b"R", b"R", b"\x81"]))
        if kind == 13:
            return b"](" + b"".join(self.tensor() for _ in range(2)) + b"e"
        if kind == 14 and self.recall("dict"):  # changed after it was used
            return self.recall("dict") + b"(" + b"".join(self.pairs(depth)) + b"u"
        if kind == 15 and self.recall("list"):
            return self.recall("list") + number(2) + b"a"
        if kind == 16:
            return b"cargparse\nNamespace\n)R}(" + b"".join(self.pairs(depth)) + b"ub"
        if kind == 17:
            return b"cbuiltins\nlist\n(](" + self.tensor() + b"etR"
        if kind == 18:
            return self.value(depth + 1) + b"}(" + text("_metadata") + self.tensor() + b"ub"
        return self.chance.choice([b"N", number(3), text("note"), b"\x88"])


def made_torch_file(chance):
    legacy = chance.random() < 0.3
    maker = Maker(chance, legacy)
    program = b"\x80\x02" + b"}(" + b"".join(maker.pairs(0)) + b"u."
    storages = [struct.pack("<4f", *[value] * 4) for value in (1, 2, 3)]
    if legacy:
        keys = [key for key in "012" if text(key) in program]
        listed = b"".join(struct.pack("<Q", 4) + storages[int(key)] for key in keys)
        return MAGIC + program + pickle.dumps(keys, 2) + listed
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entries = [("archive/data.pkl", program), ("archive/version", b"3\n")]
        entries += [(f"archive/data/{index}", data) for index, data in enumerate(storages)]
        if chance.random() < 0.1:
            entries.insert(chance.randrange(len(entries)), ("archive/DATA/0", storages[2]))
        if chance.random() < 0.05:
            entries.insert(chance.randrange(len(entries)), ("archive/Data.pkl", program))
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()
