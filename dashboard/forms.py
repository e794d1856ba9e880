"""Forms about people. What may be stored is the domain's to say: its refusals come back in the form."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.hashers import make_password
from django.forms.forms import BaseForm
from django.http import HttpRequest

from tracking.attempts import MAX_NAME_LENGTH, check_password, one_attempt
from tracking.domain.accounts import find_account
from tracking.domain.people import add_member
from tracking.domain.registration import INVITED_ROLES
from tracking.enums import Role
from tracking.errors import AlreadyExists, InvalidInput, NameTaken
from tracking.models import Project, User

CHOICE_HINT = "At least 8 characters, not only digits; nothing common, nothing like your name."
NAME_ATTRS = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


def style(form: BaseForm) -> None:
    for field in form.fields.values():
        field.widget.attrs["class"] = "text-field"
        field.label_suffix = ""


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "This user name and password do not go together. Capitals count in both.",
        "inactive": "This account is disabled. Ask an administrator.",
        "service": "This account is for programs: they come with a token. Sign in as yourself.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"
        self.fields["username"].widget.attrs |= NAME_ATTRS
        style(self)

    def clean_username(self) -> str:
        """Django only tells the browser how long a name may be."""
        name: str = self.cleaned_data["username"]
        if len(name) > MAX_NAME_LENGTH:
            raise self.get_invalid_login_error()
        return name

    def clean(self) -> dict[str, Any]:
        name, password = (self.cleaned_data.get(key, "") for key in ("username", "password"))
        with one_attempt(self.request, name):
            try:
                return super().clean()
            except forms.ValidationError:
                self._tell_if_disabled(name, password)
                raise

    def _tell_if_disabled(self, name: str, password: str) -> None:
        """Only to who knows the password, and as slowly where there is no such account."""
        if getattr(self.request, "axes_locked_out", False):
            return
        disabled = User.objects.filter(username=name, is_active=False).first()
        if disabled is None:
            make_password(password)
        elif disabled.check_password(password):
            raise forms.ValidationError(self.error_messages["inactive"], code="inactive")

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if user.is_service:
            raise forms.ValidationError(self.error_messages["service"], code="service")


class VerbForm(forms.Form):
    """A form that is one call into the domain."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        style(self)

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)

    def done(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Whether the form was good and the verb took it; if not, the reasons stand in the form."""
        if not (self.is_bound and self.is_valid()):
            return False
        try:
            self.result = verb(*args, **self.values(), **kwargs)
        except (InvalidInput, NameTaken, AlreadyExists) as error:
            field = getattr(error, "field", "")
            self.add_error(field if field in self.fields else None, str(error))
            return False
        return True

    def reasons(self) -> list[str]:
        return [str(text) for texts in self.errors.values() for text in texts]


class AccountForm(VerbForm):
    """A new account: name, e-mail address, and the password twice."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="Letters, digits and @ . + - _",
        widget=forms.TextInput(NAME_ATTRS | {"autofocus": True}),
    )
    email = forms.EmailField(
        label="E-mail", required=False, widget=forms.EmailInput({"autocomplete": "email"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text=CHOICE_HINT,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="Password again",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password", again):
            raise forms.ValidationError("The two passwords are not the same.")
        return again

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("username", "email", "password")}


class ProfileForm(VerbForm):
    first_name = forms.CharField(label="First name", required=False, max_length=150)
    last_name = forms.CharField(label="Last name", required=False, max_length=150)
    email = forms.EmailField(label="E-mail", required=False)


class PasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["old_password"].label = "Password now"
        self.fields["new_password1"].label = "New password"
        self.fields["new_password1"].help_text = CHOICE_HINT
        self.fields["new_password2"].label = "New password again"
        self.fields["new_password2"].help_text = ""
        style(self)

    def clean_old_password(self) -> str:
        """A guess at it counts as one at signing in."""
        old: str = self.cleaned_data["old_password"]
        if check_password(self.request, self.user.get_username(), old) is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"])
        return old


class InvitationForm(VerbForm):
    """To a project, with a role there; administrators may invite to no project at all."""

    email = forms.EmailField(
        label="E-mail",
        required=False,
        widget=forms.EmailInput({"placeholder": "Anybody with the link", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=[(role.value, role.label) for role in INVITED_ROLES])


class MemberForm(VerbForm):
    username = forms.CharField(
        label="User name",
        max_length=150,
        widget=forms.TextInput(
            {"list": "person-suggestions", "autocomplete": "off", "autocapitalize": "none"}
        ),
    )
    role = forms.ChoiceField(choices=Role.choices)

    def add_to(self, project: Project) -> bool:
        return self.done(_add_person, project)


def _add_person(project: Project, *, username: str, role: str) -> None:
    add_member(project, find_account(username), role=role)


class OwnerForm(VerbForm):
    def __init__(self, *args: Any, people: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = User.objects.filter(pk__in=[person.pk for person in people], is_active=True)
        self.fields["user"] = forms.ModelChoiceField(
            known.order_by("username"), label="New owner", empty_label=None
        )
        style(self)
