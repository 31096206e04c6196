"""The servers of a run, by the contender and how it is set up."""
from collections.abc import Callable, Iterable

from .contenders import Contender
from .place import Place
from .prove import prove
from .servers import BenchError, Server
from .setups import Setup


class Fleet:
    def __init__(self, place: Place, say: Callable[[str], None]):
        self.place, self.say = place, say
        self.servers: dict[tuple[str, str], Server | None] = {}  # None: the mock itself
        self.contenders: dict[str, Contender] = {}
        self.absent: dict[str, str] = {}  # what is not measured, by title, with the reason

    def start(self, contenders: Iterable[Contender], setups: Iterable[Setup]) -> None:
        for setup in setups:
            for contender in contenders:
                if setup in contender.setups:
                    self.start_one(contender, setup)

    def start_one(self, contender: Contender, setup: Setup) -> None:
        """One that does not start or does not do its work is left out, and said so."""
        title = contender.title + setup.title
        self.say(f"starting {title}")
        server = None
        try:
            server = contender.start(self.place, setup)
            if server:
                prove(self.place, contender, setup, server)
        except BenchError as error:
            self.absent[title] = str(error)
            self.say(f"NOT measured: {title}: {error}")
            if server:
                server.stop()
            return
        self.servers[setup.name, contender.name] = server
        self.contenders[contender.name] = contender

    def has(self, contender: Contender, setup: Setup) -> bool:
        return (setup.name, contender.name) in self.servers

    def server(self, contender: Contender, setup: Setup) -> Server | None:
        return self.servers[setup.name, contender.name]

    def stop(self) -> None:
        """Keeps what each said of work that it did not do."""
        for (_, name), server in self.servers.items():
            if not server:
                continue
            server.stop()
            complaint = self.contenders[name].complaint(server)
            if complaint:
                self.absent[f"{server.name}, a part of its work"] = complaint
