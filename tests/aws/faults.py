"""A thin layer in front of moto: what AWS does and moto does not (faults, pages, states of credential reports).

The first part of the path names a scenario, so that many processes can be served at a time, each with faults,
counters and calls of its own: ``http://127.0.0.1:PORT/<scenario>``. The rest is passed on to moto.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, Request
from moto.iam.models import get_account_id_from
from moto.iam.responses import IamResponse
from moto.organizations.models import organizations_backends
from moto.organizations.responses import OrganizationsResponse
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.sns.responses import SNSResponse
from moto.sts.models import sts_backends
from moto.sts.responses import TokenResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

#: made up, and easy to find where no secret may be
SECRET_KEY = "keyauditMadeUpSecret/neverToBeWritten+00"
NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
#: kind -> status, code in the query protocol (IAM, STS), code in the JSON protocol (Organizations)
ERRORS = {
    "throttle": (400, "Throttling", "TooManyRequestsException"),
    "error500": (500, "InternalFailure", "InternalFailure"),
    "error503": (503, "ServiceUnavailable", "ServiceUnavailable"),
    "expired": (403, "ExpiredToken", "ExpiredTokenException"),
    "denied": (403, "AccessDenied", "AccessDeniedException"),
    "invalid": (403, "InvalidClientTokenId", "UnrecognizedClientException"),
    "limited": (409, "LimitExceeded", "LimitExceededException"),
}
#: for all of them but "denied", whose message says who may not do what
MESSAGES = {
    "throttle": "Rate exceeded",
    "error500": "The request processing has failed because of an unknown error, exception or failure.",
    "error503": "The request has failed due to a temporary failure of the server.",
    "expired": "The security token included in the request is expired",
    "invalid": "The security token included in the request is invalid.",
    "limited": "The request was rejected because it attempted to create resources beyond the current limits.",
}
ENDLESS = ("endless", "endless_new")
WIRE = (
    "reset_before",
    "reset_after",
    "truncate",
    "malformed",
    "empty",
    "stall_before",
    "stall",
    "drip",
    "slow",
    "slower",
)
#: the call does not reach AWS
LOST = ("reset_before", "stall_before")
#: "late": the call takes effect, and is answered with an error that does not tell so, and that nobody repeats
KINDS = (*ERRORS, *WIRE, *ENDLESS, "in_progress", "late")
#: operations whose answer comes in pages -> the lists in it, in AWS's order (a list of JSON for ListAccounts)
PAGED = {
    "ListUsers": ("Users",),
    "ListAccessKeys": ("AccessKeyMetadata",),
    "GetAccountAuthorizationDetails": ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
    "ListAccounts": ("Accounts",),
}
REPORT_ERRORS = {"ReportNotPresent": 410, "ReportExpired": 410, "ReportInProgress": 404, "LimitExceeded": 409}
DESCRIPTIONS = {
    "STARTED": "No report exists. Starting a new report generation task",
    "INPROGRESS": "Report generation is in progress",
}
#: what of moto answers for services whose calls are all of one path
DIRECT = {
    "iam": IamResponse,
    "organizations": OrganizationsResponse,
    "secretsmanager": SecretsManagerResponse,
    "sns": SNSResponse,
    "sts": TokenResponse,
}
REPEATABLE = re.compile(r"(Get|List|Describe|AssumeRole)")
SLOW, SLOWER = 0.7, 2.1  # seconds
DRIP = 0.2  # seconds a byte
HOPS = {"connection", "content-length", "transfer-encoding", "server", "date", "keep-alive"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, with which calls: those of an operation (``*``: any), after the first ``after`` of them,
    ``first`` of them (None: all).

    Only calls that match count: ``user`` is a value of any of their parameters, ``account`` the account that they
    are made in (for AssumeRole the account of the role).
    """

    operation: str
    kind: str
    first: int | None = None
    after: int = 0
    user: str | None = None
    account: str | None = None

    def __post_init__(self) -> None:
        """A mistyped kind would be a fault that never happens."""
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.kind in ENDLESS and self.operation not in PAGED:
            raise ValueError(f"{self.operation} has no pages")

    def matches(self, asked: Asked) -> bool:
        return (
            self.operation in ("*", asked.operation)
            and self.user in (None, *asked.parameters.values())
            and self.account in (None, asked.target)
        )

    def strikes(self, number: int) -> bool:
        """Whether it strikes the call of this number among those that match, counted from 0."""
        return number >= self.after and (self.first is None or number < self.after + self.first)


@dataclass
class Report:
    """A credential report and its script: a state, or the code of an error, for each call of GenerateCredentialReport
    (the last for ever), and the error codes of the first calls of GetCredentialReport."""

    content: bytes
    generated_time: str
    states: Sequence[str] = ("STARTED", "COMPLETE")
    gets: Sequence[str] = ()


class Call(NamedTuple):
    """A call that the layer saw; ``status`` is 0 where no status line was sent."""

    service: str
    operation: str
    account: str
    status: int


@dataclass(frozen=True)
class Asked:
    """One request, understood."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    service: str
    operation: str
    parameters: dict[str, str]
    key: str
    account: str
    is_json: bool

    @property
    def target(self) -> str:
        """The account that a call is about: the caller's, but for AssumeRole that of the role."""
        role = self.parameters.get("RoleArn", "")
        return role.split(":")[4] if role.count(":") >= 5 else self.account

    def with_json(self, **changes: Any) -> Asked:
        """The same request with other JSON parameters, None for none."""
        found = json.loads(self.body or b"{}") | changes
        return replace(self, body=json.dumps({k: v for k, v in found.items() if v is not None}).encode())


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]


@dataclass
class Scenario:
    """What one process under test meets, and what it did. Made by ``Aws.scenario``; may be changed while it runs."""

    name: str
    base_url: str
    key: str
    account: str
    latency: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    reports: dict[str, Report] = field(default_factory=dict)
    page_size: int | None = None
    cached: bool = False
    #: a function's ARN and the event -> its answer, None where it failed; moto would need docker
    invoked: Callable[[str, Any], Any] | None = None
    calls: list[Call] = field(default_factory=list)
    signers: dict[str, list[str]] = field(default_factory=dict)  # operation -> ids of the keys that signed it
    times: Counter[str] = field(default_factory=Counter)
    struck: Counter[Fault] = field(default_factory=Counter)
    _matched: Counter[Fault] = field(default_factory=Counter, repr=False)
    _steps: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)
    _wholes: list[list[tuple[str, bytes]]] = field(default_factory=list, repr=False)
    _kept: dict[tuple, Answer] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def url(self) -> str:
        """The AWS_ENDPOINT_URL of this scenario."""
        return f"{self.base_url}/{self.name}"

    @property
    def operations(self) -> list[str]:
        """The operations called, in order."""
        return [call.operation for call in self.calls]

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a process that meets this scenario, and nothing of the machine's own AWS set-up."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **mine,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent/config",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/credentials",
            **more,
        }

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client that meets this scenario, without retries unless told otherwise; close it."""
        return client_at(self.url, self.key, service, **config)

    def fault_for(self, asked: Asked) -> Fault | None:
        """Count a call; the first fault that is to strike it, if any."""
        with self._lock:
            self.times[asked.operation] += 1
            found = None
            for fault in dict.fromkeys(self.faults):
                if fault.matches(asked):
                    found = found or (fault if fault.strikes(self._matched[fault]) else None)
                    self._matched[fault] += 1
            return found

    def step(self, asked: Asked) -> int:
        """How often the operation was called in this account before."""
        with self._lock:
            self._steps[asked.account, asked.operation] += 1
            return self._steps[asked.account, asked.operation] - 1

    def keep(self, whole: list[tuple[str, bytes]]) -> int:
        """Keep the members of a whole answer, to be given out in pages; its number."""
        with self._lock:
            self._wholes.append(whole)
            return len(self._wholes) - 1

    def record(self, asked: Asked, status: int, fault: Fault | None) -> None:
        """A call that was made; only now is it told that it was struck, for whoever waits for that looks at what the
        call did."""
        with self._lock:
            if fault:
                self.struck[fault] += 1
            self.calls.append(Call(asked.service, asked.operation, asked.account, status))
            self.signers.setdefault(asked.operation, []).append(asked.key)


def client_at(url: str, key: str, service: str, **config: Any) -> Any:
    """A boto3 client that talks to this URL and to nothing else."""
    settings = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5, "read_timeout": 30, "proxies": {}}
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=SECRET_KEY,
        config=Config(**(settings | config)),
    )


def understand(method: str, path: str, headers: dict[str, str], body: bytes, account_of: Any) -> Asked:
    """Whose request it is, and for what: IAM and STS say it in a form, the others in a header and JSON."""
    low = {name.lower(): value for name, value in headers.items()}
    scope = re.search(r"Credential=([^/]+)/[^/]*/[^/]*/([^/]+)/", low.get("authorization", ""))
    key, service = scope.groups() if scope else ("", "unknown")
    target = low.get("x-amz-target", "")
    if target:
        parameters = {name: str(value) for name, value in json.loads(body or b"{}").items()}
        operation = target.rpartition(".")[2]
    else:
        is_form = "form" in low.get("content-type", "")
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True)) if is_form else {}
        operation = parameters.get("Action", f"{method} {path}")
        if service == "lambda" and path.endswith("/configuration"):
            operation = "GetFunctionConfiguration"
        if service == "lambda" and path.endswith("/invocations"):
            operation = "Invoke"
    account = account_of(key)
    return Asked(
        method,
        path,
        headers,
        body,
        service,
        operation,
        parameters,
        key,
        account,
        bool(target) or service == "lambda",
    )


def answer_of(status: int, content: str, asked: Asked, request_id: str) -> Answer:
    kind = "application/x-amz-json-1.1" if asked.is_json else "text/xml"
    return Answer(status, content.encode(), {"Content-Type": kind, "x-amzn-RequestId": request_id})


def error(asked: Asked, status: int, code: str, message: str) -> Answer:
    """An error as AWS writes it in the protocol of the request."""
    request_id = str(uuid.uuid4())
    if asked.is_json:
        content = json.dumps({"__type": code, "Message": message, "RequestId": request_id})
        return answer_of(status if status >= 500 else 400, content, asked, request_id)
    side = "Receiver" if status >= 500 else "Sender"
    content = (
        f'<ErrorResponse xmlns="{NAMESPACES.get(asked.service, "")}"><Error><Type>{side}</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return answer_of(status, content, asked, request_id)


def fault_error(asked: Asked, kind: str) -> Answer:
    status, code, json_code = ERRORS[kind]
    return error(asked, status, json_code if asked.is_json else code, MESSAGES.get(kind) or denial(asked))


def denial(asked: Asked) -> str:
    """Who may not do what, in AWS's words."""
    if asked.service == "organizations":
        return "You don't have permissions to access this resource."
    _, arn, _ = sts_backends[asked.account]["aws"].get_caller_identity(asked.key, "us-east-1")
    action = f"{asked.service}:{asked.operation}"
    user, role = asked.parameters.get("UserName"), asked.parameters.get("RoleArn")
    resource = role or (f"user {user}" if user else f"arn:aws:iam::{asked.account}:user/")
    why = f"because no identity-based policy allows the {action} action"
    return f"User: {real_caller(arn)} is not authorized to perform: {action} on resource: {resource} {why}"


def real_caller(text: str) -> str:
    """moto's caller that is no user (``arn:aws:sts::123456789012:user/moto``) with an ARN that AWS could give."""
    return re.sub(r"arn:aws:sts::(\d+):user/moto", r"arn:aws:iam::\1:user/auditor", text)


def real_dates(asked: Asked, body: bytes) -> bytes:
    """A list of versions with the dates at which they were made; moto's are those of the listing."""
    found = json.loads(body)
    stores = secretsmanager_backends[asked.account].values()
    secrets = [secret for store in stores for secret in store.secrets.values()]
    made = {version: one["createdate"] for secret in secrets for version, one in secret.versions.items()}
    for one in found["Versions"]:
        one["CreatedDate"] = made[one["VersionId"]]
    return json.dumps(found).encode()


def finish_stack(asked: Asked) -> None:
    """The description and the outputs of a stack that a change set made or changed; moto forgets them."""
    # importing what moto makes stacks of takes a second, and most tests have none
    stores = get_backend("cloudformation")[asked.account].values()
    stack = next(
        one for store in stores for one in store.stacks.values() if one.name == asked.parameters["StackName"]
    )
    stack._parse_template()
    stack.description, stack.output_map = stack.template_dict.get("Description"), stack._create_output_map()


def rotate_secret(asked: Asked) -> Answer:
    """A rotation asked for: a version with AWSPENDING and no value, for the function to fill. moto moves the stages at
    once, as if the function had run."""
    stores = secretsmanager_backends[asked.account].values()
    found = next(
        store.secrets[asked.parameters["SecretId"]]
        for store in stores
        if asked.parameters["SecretId"] in store.secrets
    )
    token = asked.parameters["ClientRequestToken"]
    found.remove_version_stages_from_old_versions(["AWSPENDING"])
    found.versions[token] = {"createdate": int(time.time()), "version_id": token, "version_stages": ["AWSPENDING"]}
    told = {"ARN": found.arn, "Name": found.name, "VersionId": token}
    return answer_of(200, json.dumps(told), asked, str(uuid.uuid4()))


def invoke(asked: Asked, invoked: Callable[[str, Any], Any]) -> Answer:
    """A function's answer, or that it failed, as Lambda says it."""
    arn = unquote(asked.path.split("/")[-2])
    found = invoked(arn, json.loads(asked.body))
    failed = {"X-Amz-Function-Error": "Unhandled"} if found is None else {}
    content = json.dumps({"errorMessage": "..."} if found is None else found)
    answer = answer_of(200, content, asked, str(uuid.uuid4()))
    return replace(answer, headers={**answer.headers, **failed})


def result(asked: Asked, content: str) -> Answer:
    """A good answer in the query protocol."""
    request_id, name = str(uuid.uuid4()), asked.operation
    return answer_of(
        200,
        f'<{name}Response xmlns="{NAMESPACES[asked.service]}"><{name}Result>{content}</{name}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>",
        asked,
        request_id,
    )


def state(asked: Asked, name: str) -> Answer:
    description = f"<Description>{DESCRIPTIONS[name]}</Description>" if name in DESCRIPTIONS else ""
    return result(asked, f"<State>{name}</State>{description}")


def generate_report(asked: Asked, report: Report, number: int) -> Answer:
    told = report.states[min(number, len(report.states) - 1)]
    if told in REPORT_ERRORS:
        return error(asked, REPORT_ERRORS[told], told, f"The credential report cannot be made: {told}")
    return state(asked, told)


def get_report(asked: Asked, report: Report, number: int) -> Answer:
    if number < len(report.gets):
        code = report.gets[number]
        status = 500 if code == "ServiceFailure" else REPORT_ERRORS.get(code, 400)
        return error(asked, status, code, f"The credential report cannot be had: {code}")
    content = base64.b64encode(report.content).decode()
    return result(
        asked,
        f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
        f"<GeneratedTime>{report.generated_time}</GeneratedTime>",
    )


def outsider(asked: Asked) -> Answer | None:
    """The refusal of ListAccounts outside of a management account; moto has an empty list for everybody."""
    if asked.operation != "ListAccounts" or organizations_backends[asked.account]["aws"].org:
        return None
    if asked.account in organizations_backends.master_accounts:
        return fault_error(asked, "denied")
    message = "Your account is not a member of an organization."
    return error(asked, 400, "AWSOrganizationsNotInUseException", message)


REPORTS = {"GenerateCredentialReport": generate_report, "GetCredentialReport": get_report}


def more_to_come(asked: Asked, answer: Answer, marker: str) -> Answer:
    """An answer that says that it is not the last page."""
    if asked.is_json:
        return replace(answer, body=json.dumps(json.loads(answer.body) | {"NextToken": marker}).encode())
    bare = re.sub(rb"<(IsTruncated|Marker)>[^<]*</\1>", b"", answer.body)
    end = f"</{asked.operation}Result>".encode()
    said = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>".encode()
    return replace(answer, body=bare.replace(end, said + end))


def members(asked: Asked, body: bytes) -> list[tuple[str, bytes]]:
    """The members of the lists of a whole answer, each with the name of its list."""
    tree = ElementTree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", body, count=1))
    lists = [(name, tree.find(f"./*/{name}")) for name in PAGED[asked.operation]]
    return [
        (name, ElementTree.tostring(one)) for name, found in lists for one in (found if found is not None else ())
    ]


def page(asked: Asked, found: list[tuple[str, bytes]], marker: str) -> Answer:
    """One page of members; an empty marker says that it is the last."""
    text = "".join(
        f"<{name}>{b''.join(one for of, one in found if of == name).decode()}</{name}>"
        for name in PAGED[asked.operation]
    )
    whole = result(asked, f"{text}<IsTruncated>false</IsTruncated>")
    return more_to_come(asked, whole, marker) if marker else whole


class Layer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The HTTP server in front of moto; a thread a connection, all ended by ``close``."""

    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, moto: Any) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.moto = moto
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.scenarios: dict[str, Scenario] = {}
        self.errors: list[str] = []
        self.closing = threading.Event()
        self.accounts: dict[str, str] = {}
        self._open: dict[socket.socket, threading.Thread] = {}
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all connections and threads; RuntimeError if the layer itself was at fault somewhere."""
        self.closing.set()
        self.shutdown()
        for request, thread in list(self._open.items()):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
            thread.join(10)
        self.server_close()
        self._thread.join(10)
        if self.errors:
            raise RuntimeError("the layer in front of moto failed:\n" + "\n".join(self.errors))

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        self._open[request] = thread
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is normal here; anything else must come to light."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            self.errors.append(traceback.format_exc())

    def account_of(self, key: str) -> str:
        """The account that moto takes a key for (moto asks all accounts each time)."""
        if key not in self.accounts:
            self.accounts[key] = get_account_id_from(key)
        return self.accounts[key]

    def answer(self, scenario: Scenario, asked: Asked, kind: str) -> Answer:
        """The answer before the wire spoils it."""
        if kind in ERRORS:
            return fault_error(asked, kind)
        if kind == "in_progress":
            return state(asked, "INPROGRESS")
        if kind == "late":
            self.answer(scenario, asked, "")
            return error(asked, 501, "InternalFailure", MESSAGES["error500"])
        if asked.operation in REPORTS and asked.account in scenario.reports:
            return REPORTS[asked.operation](asked, scenario.reports[asked.account], scenario.step(asked))
        if asked.operation == "RotateSecret":
            return rotate_secret(asked)
        if asked.operation == "Invoke" and scenario.invoked:
            return invoke(asked, scenario.invoked)
        if refusal := outsider(asked):
            return refusal
        if kind in ENDLESS:
            plain = asked.with_json(NextToken=None) if asked.is_json else asked
            marker = "endless" if kind == "endless" else f"endless-{uuid.uuid4()}"
            return more_to_come(asked, self.of_moto(scenario, plain), marker)
        if scenario.page_size and asked.operation in PAGED and asked.operation != "ListAccessKeys":
            return self.one_page(scenario, asked, scenario.page_size)
        return self.of_moto(scenario, asked)

    def one_page(self, scenario: Scenario, asked: Asked, size: int) -> Answer:
        """A page of a list: moto pages ListAccounts itself, and nothing else. The first call of a list takes the
        whole of it from moto, and the marker leads back to that."""
        if asked.is_json:
            limit = min(size, int(asked.parameters.get("MaxResults", size)))
            return self.of_moto(scenario, asked.with_json(MaxResults=limit))
        marker = asked.parameters.get("Marker", "")
        if not marker:
            whole = self.of_moto(scenario, asked)
            if whole.status != 200:
                return whole
            marker = f"page-{scenario.keep(members(asked, whole.body))}-0"
        if not (told := re.fullmatch(r"page-(\d+)-(\d+)", marker)):
            return error(asked, 400, "ValidationError", f"Invalid Marker: {marker}")
        number, start = map(int, told.groups())
        found, end = scenario._wholes[number], start + min(size, int(asked.parameters.get("MaxItems", size)))
        return page(asked, found[start:end], f"page-{number}-{end}" if end < len(found) else "")

    def of_moto(self, scenario: Scenario, asked: Asked) -> Answer:
        """moto's answer, from memory where the scenario wants that and the call changes nothing."""
        if not scenario.cached or not REPEATABLE.match(asked.operation):
            return self.forward(asked)
        about = (asked.service, asked.operation, asked.body, asked.key)
        if about not in scenario._kept:
            answer = self.forward(asked)
            if answer.status != 200:
                return answer
            scenario._kept[about] = answer
        return scenario._kept[about]

    def forward(self, asked: Asked) -> Answer:
        """moto answers, without a second connection, which took an eighth of the time of such tests."""
        given = {name: value for name, value in asked.headers.items() if name.lower() not in HOPS}
        host = given.pop("Host", self.url)
        try:
            code, found, body = self.of_application(asked, given, f"http://{host}")
        except Exception:  # what its server would answer
            return Answer(500, b"", {})
        if asked.operation == "GetCallerIdentity":
            body = real_caller(body.decode()).encode()
        if asked.operation == "ExecuteChangeSet" and code == 200:
            finish_stack(asked)
        if asked.operation == "ListSecretVersionIds" and code == 200:
            body = real_dates(asked, body)
        headers = {name: value for name, value in found.items() if name.lower() not in HOPS}
        return Answer(code, body, headers)

    def of_application(
        self, asked: Asked, headers: dict[str, str], url: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        """By the part of moto that answers for a service, as moto's decorators call it, where all of a service's calls
        are of one path: its web application before that is half of the time that a call takes."""
        if asked.service in DIRECT and asked.path == "/":
            request = Request.from_primitives(asked.method, f"{url}/", headers, asked.body)
            code, found, body = DIRECT[asked.service].dispatch(request, request.raw_url, dict(request.headers))
            return int(code), found, body if isinstance(body, bytes) else body.encode()
        asks = EnvironBuilder(method=asked.method, path=asked.path, headers=headers, data=asked.body, base_url=url)
        environ = {**asks.get_environ(), PRESERVED_HEADER_NAMES_ENVIRON_KEY: {}}
        parts, status, found = run_wsgi_app(self.moto, environ, buffered=True)
        return int(status.split()[0]), found, b"".join(parts)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Layer
    abort = False

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name, path = re.fullmatch(r"/*([^/?]*)/?(.*)", self.path).groups()
        scenario = self.server.scenarios.get(name)
        if scenario is None:
            self.send_error(404, f"no scenario {name!r}")
            return
        headers = dict(self.headers.items())
        asked = understand(self.command, f"/{path}", headers, body, self.server.account_of)
        if scenario.latency:
            time.sleep(scenario.latency)
        self.meet(scenario, asked)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def meet(self, scenario: Scenario, asked: Asked) -> None:
        """Answer a call as the scenario wants it; the call is recorded before the client can know the answer."""
        fault = scenario.fault_for(asked)
        kind = fault.kind if fault else ""
        answer = None if kind in LOST else self.server.answer(scenario, asked, kind)
        unsaid = answer is None or kind in ("reset_after", "stall")
        scenario.record(asked, 0 if unsaid else 200 if kind == "empty" else answer.status, fault)
        getattr(self, f"send_{kind}" if kind in WIRE else "send_whole")(answer)

    def send_whole(self, answer: Answer, body: bytes | None = None, length: int | None = None) -> None:
        """Status, headers, and the body or what is to stand for it."""
        body = answer.body if body is None else body
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def send_reset_before(self, answer: Answer | None) -> None:
        self.close_connection = self.abort = True

    send_reset_after = send_reset_before

    def send_truncate(self, answer: Answer) -> None:
        self.send_whole(answer, answer.body[: len(answer.body) // 2], len(answer.body))
        self.close_connection = True

    def send_malformed(self, answer: Answer) -> None:
        self.send_whole(answer, answer.body[: len(answer.body) // 2])

    def send_empty(self, answer: Answer) -> None:
        self.send_whole(replace(answer, status=200), b"")

    def send_stall(self, answer: Answer) -> None:
        """Nothing until the client goes away, or the layer is closed."""
        self.connection.recv(1)
        self.close_connection = self.abort = True

    def send_slow(self, answer: Answer) -> None:
        self.server.closing.wait(SLOW)
        self.send_whole(answer)

    def send_slower(self, answer: Answer) -> None:
        self.server.closing.wait(SLOWER)
        self.send_whole(answer)

    send_stall_before = send_stall

    def send_drip(self, answer: Answer) -> None:
        """The headers, and then a byte now and then, for as long as the client can bear it."""
        self.send_whole(answer, b"", len(answer.body))
        for number in range(len(answer.body)):
            self.wfile.flush()
            if self.server.closing.wait(DRIP):
                break
            self.wfile.write(answer.body[number : number + 1])
        self.close_connection = self.server.closing.is_set()

    def finish(self) -> None:
        """End the connection; with a hard reset (RST, no FIN before it) where that is the fault."""
        if self.abort:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().finish()
        if self.abort:
            self.connection.close()

    def log_message(self, *_: Any) -> None:
        """Nothing is said of single requests."""
